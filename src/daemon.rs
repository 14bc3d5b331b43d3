//! The wiring, start to stop: the only file that names every stage.
