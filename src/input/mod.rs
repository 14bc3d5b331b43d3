//! Where events come from.

pub mod forward;
