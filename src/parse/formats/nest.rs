//! Node's NestJS: `[Nest] PID  - MM/DD/YYYY, H:MM:SS AM     LEVEL [CONTEXT] MESSAGE`, its colours taken away.
//!
//! The date is in the words of the process's locale; read is that of the United States, which containers have, told by its AM or
//! PM. <https://github.com/nestjs/nest/blob/master/packages/common/services/console-logger.service.ts>

use crate::parse::known;
use crate::parse::level::Level;
use crate::parse::sink::Sink;
use crate::parse::time::forms;

pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (pid, rest) = line.strip_prefix("[Nest] ")?.split_once(' ')?;
    let (rest, said) = forms::american(rest.trim_start_matches(' ').strip_prefix("- ")?).ok()?;
    let (word, rest) = rest.trim_start_matches(' ').split_once(' ')?;
    let level = Level::of_word(word).filter(|_| word.bytes().all(|byte| byte.is_ascii_uppercase()))?;
    if pid.is_empty() || !pid.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    sink.said(said)?;
    sink.leveled(Some(level), word);
    sink.number(known::PID, pid);
    match rest.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        Some((context, message)) => {
            sink.text(known::LOGGER, context);
            sink.message(message);
        }
        None => sink.message(rest),
    }
    Some(())
}
