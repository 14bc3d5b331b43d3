//! What readers hand on, through a pass and into a buffer.

mod chunks;
mod documents;
mod fixtures;
mod forward;
mod own;
mod rig;
