//! The grammars, one format or family a file. Each reads a whole line into a [`Sink`](super::sink::Sink), or says that the line
//! is of another format; see the table in [`format`](super::format).

pub(super) mod access;
pub(super) mod apache_error;
pub(super) mod console;
pub(super) mod cri;
pub(super) mod csv;
pub(super) mod django;
pub(super) mod docker_json;
pub(super) mod dotnet;
pub(super) mod elasticsearch;
pub(super) mod envoy;
mod flat;
pub(super) mod gin;
pub(super) mod go;
pub(super) mod gunicorn_error;
pub(super) mod haproxy;
mod http;
pub(super) mod json;
pub(super) mod jvm;
pub(super) mod key_value;
pub(super) mod klog;
pub(super) mod level;
pub(super) mod logfmt;
pub(super) mod logger;
pub(super) mod ltsv;
mod members;
pub(super) mod mongodb;
pub(super) mod morgan;
pub(super) mod mysql;
pub(super) mod nest;
pub(super) mod nginx_error;
mod pairs;
pub(super) mod php;
pub(super) mod postgresql;
pub(super) mod rabbitmq;
pub(super) mod redis;
pub(super) mod ruby;
pub(super) mod sidekiq;
pub(super) mod spring_boot;
mod syslog;
pub(super) mod syslog_3164;
pub(super) mod syslog_5424;
pub(super) mod uvicorn;
pub(super) mod zap;

pub(super) use json::why_not as why_not_json;
pub use json::{BorrowedName, NotJson, json_object};

#[cfg(test)]
mod misfits;
#[cfg(test)]
mod tests;
