//! A line to fields: one format a file, over borrowed bytes. A line that does not fit is left as it is.

mod adopt;
mod ansi;
mod auto;
mod format;
mod formats;
mod known;
mod level;
mod own;
mod reader;
mod roles;
mod sink;
mod stops;
mod time;
mod token;
mod unescape;
mod unnest;
mod whole;

pub(crate) use ansi::{is_one_plain_line, without_colours};
pub use auto::Streams;
pub use format::Format;
pub(crate) use formats::php::PASSED_ON as PHP_PASSED_ON;
pub use formats::{BorrowedName, NotJson, json_object};
pub use known::{Schema, stack_name};
pub use level::Level;
pub use own::{Own, OwnFault, OwnOptions};
pub use reader::{Grammar, Parse, ReadLine, Stream, read_line};
pub(crate) use roles::is_time as is_time_name;
pub use sink::Style;
pub use time::{Zone, parse_time, parse_time_text};
pub(crate) use unescape::unicode as unicode_escape;
