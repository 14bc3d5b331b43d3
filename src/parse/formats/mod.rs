//! The grammars, one format or family a file. Each reads a whole line into a [`Sink`](super::sink::Sink), or says that the line
//! is of another format; see the table in [`format`](super::format).

pub(super) mod access;
pub(super) mod django;
pub(super) mod elasticsearch;
mod flat;
pub(super) mod go;
pub(super) mod json;
pub(super) mod jvm;
pub(super) mod level;
pub(super) mod logger;
mod members;
#[cfg(test)]
mod misfits;
pub(super) mod mongodb;
pub(super) mod morgan;
pub(super) mod mysql;
pub(super) mod postgresql;
pub(super) mod rabbitmq;
pub(super) mod redis;
pub(super) mod ruby;
pub(super) mod spring_boot;
pub(super) mod zap;

pub use json::{BorrowedName, NotJson, json_object};
