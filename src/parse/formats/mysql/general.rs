//! The general query log: `TIME⇥THREAD COMMAND⇥ARGUMENT`, with tabs.
//!
//! MariaDB and MySQL before 5.7 print `YYMMDD HH:MM:SS` on the first line of a second, and two tabs on the others; those
//! get the event's own time. <https://dev.mysql.com/doc/refman/8.4/en/query-log.html>,
//! <https://mariadb.com/kb/en/general-query-log/>

use super::{COMMAND, THREAD};
use crate::parse::sink::Sink;
use crate::parse::time::civil::Civil;
use crate::parse::time::forms::{self, Said};

const COMMANDS: &[&str] = &[
    "Connect",
    "Query",
    "Quit",
    "Init DB",
    "Prepare",
    "Execute",
    "Close stmt",
    "Reset stmt",
    "Fetch",
    "Long Data",
    "Set option",
    "Ping",
    "Statistics",
    "Field List",
    "Change user",
    "Shutdown",
    "Kill",
    "Refresh",
    "Processlist",
    "Debug",
    "Binlog Dump",
    "Binlog Dump GTID",
    "Register Slave",
    "Register Replica",
    "Create DB",
    "Drop DB",
    "Sleep",
    "Daemon",
    "Connect Out",
    "Table Dump",
    "Delayed insert",
    "Error",
    "Time",
];

pub(super) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let rest = match line.strip_prefix("\t\t") {
        Some(rest) => rest,
        None => {
            let (rest, said) = forms::iso(line).ok().or_else(|| short(line))?;
            let rest = rest.strip_prefix('\t')?;
            sink.said(said)?;
            rest
        }
    };
    let (head, argument) = rest.split_once('\t')?;
    let (thread, command) = head.trim_start_matches(' ').split_once(' ')?;
    if !COMMANDS.contains(&command) || !thread.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    sink.number(THREAD, thread);
    sink.text(COMMAND, command);
    sink.message(argument);
    Some(())
}

/// `YYMMDD HH:MM:SS`, the hour with a blank before it where it has one digit.
fn short(line: &str) -> Option<(&str, Said)> {
    let (date, rest) = line.split_at_checked(6)?;
    let two = |from: usize| -> Option<i8> { date.get(from..from + 2)?.parse().ok() };
    let (rest, time) = forms::time_of_day(rest.strip_prefix(' ')?).ok()?;
    let civil = Civil { year: 2000 + i16::from(two(0)?), month: two(2)?, day: two(4)?, ..time };
    Some((rest, Said { civil, offset: None, has_year: true }))
}
