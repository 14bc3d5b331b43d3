//! A line to fields: one format a file, over borrowed bytes. A line that does not fit is left as it is.

mod flat;
mod json;
mod time;

pub use json::{BorrowedName, NotJson, json_object};
pub use time::{parse_time, parse_time_text};
