//! `forebay dead-letters show`: the letters themselves. They hold what applications logged, so they go to standard
//! output alone.

use clap::Args;

use super::{Data, Exit, Which, fail, say};
use crate::output::dead_letters::Stored;

/// What to print.
#[derive(Args, Debug)]
pub(crate) struct ShowOptions {
    #[command(flatten)]
    which: Which,

    /// Those for this index; `*` stands for any characters.
    #[arg(long, value_name = "INDEX")]
    index: Option<String>,

    /// So many at most.
    #[arg(long, value_name = "NUMBER")]
    limit: Option<u64>,

    /// Prints each as it is stored, a JSON object a line.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    data: Data,
}

/// Prints those that are not settled.
pub(super) fn show(options: &ShowOptions) -> Exit {
    let letters = match options.data.letters() {
        Ok(letters) => letters,
        Err(exit) => return exit,
    };
    let filter = options.which.filter(options.index.as_ref());
    let mut left = options.limit.unwrap_or(u64::MAX);
    let shown = letters.each(|_, settled, line| {
        if let Some(letter) = Stored::read(line).filter(|letter| !settled && left > 0 && filter.takes(letter))
        {
            left -= 1;
            say(&if options.json { as_stored(line) } else { in_words(&letter) });
        }
        left > 0
    });
    match shown {
        Ok(()) => Exit::Clean,
        Err(fault) => fail(format!("cannot read {}: {fault}", letters.folder().display())),
    }
}

fn as_stored(line: &[u8]) -> String {
    String::from_utf8_lossy(line).trim_end().to_owned()
}

fn in_words(letter: &Stored<'_>) -> String {
    let status = if letter.status > 0 { format!(" {}", letter.status) } else { String::new() };
    let pipeline = letter.pipeline.as_ref().map_or_else(String::new, |text| format!("  pipeline `{text}`"));
    let replays = if letter.replays > 0 { format!("  replays {}", letter.replays) } else { String::new() };
    let content = match (letter.document, &letter.original) {
        (Some(document), _) => document.get().to_owned(),
        (None, Some(original)) => format!("no document; as it came, base64: {original}"),
        (None, None) => "no document".to_owned(),
    };
    format!(
        "{}  {}  {}{status}  index `{}`  id `{}`  tag `{}`{pipeline}{replays}\n  {}\n  {content}",
        letter.time,
        letter.reason,
        letter.kind,
        letter.index,
        letter.id,
        letter.tag,
        letter.error.replace(['\n', '\r'], " "),
    )
}
