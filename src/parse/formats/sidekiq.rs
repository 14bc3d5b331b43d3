//! Ruby's Sidekiq: `TIME pid=1 tid=abc class=Job jid=… LEVEL: MESSAGE`, where a job has its class, id and time.
//!
//! Names are those that are printed, but for the process. <https://github.com/sidekiq/sidekiq/blob/main/lib/sidekiq/logger.rb>

use crate::parse::known;
use crate::parse::level::Level;
use crate::parse::sink::{Sink, bare};
use crate::parse::time::forms;

/// Where a time to the millisecond in UTC ends, which is what it prints.
const END: usize = 23;

/// More pairs than it prints.
const PAIRS: usize = 16;

pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    if line.as_bytes().get(END..END + 6) != Some(b"Z pid=") {
        return None;
    }
    let (rest, said) = forms::iso(line).ok()?;
    sink.said(said)?;
    let mut rest = rest.strip_prefix(' ')?;
    for _ in 0..PAIRS {
        let (word, behind) = rest.split_once(' ')?;
        if let Some(level) = word.strip_suffix(':') {
            let is_level = level.bytes().all(|byte| byte.is_ascii_uppercase());
            sink.leveled(Some(Level::of_word(level).filter(|_| is_level)?), level);
            sink.message(behind);
            return Some(());
        }
        match word.split_once('=')? {
            ("pid", pid) => sink.number(known::PID, pid),
            (name, value) => sink.named_beside(name, bare(value)),
        }
        rest = behind;
    }
    None
}
