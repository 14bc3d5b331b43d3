//! `forebay buffer cat`: documents as NDJSON, or as a bulk request has them.

use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;

use clap::Args;

use super::{Exit, Place, fail, tell_wounds};
use crate::buffer::{Document, Found, Snapshot};
use crate::event::Pattern;

/// Which documents, and in which form.
#[derive(Args, Debug)]
pub(crate) struct CatOptions {
    /// Those that are delivered and still on disk too.
    #[arg(long)]
    all: bool,

    /// Of this segment only; once for each.
    #[arg(long, value_name = "NUMBER")]
    segment: Vec<u64>,

    /// Of tags that match this pattern only, as in [[pipeline]]: `app.*`, `app.**`, `{a,b}.c`.
    #[arg(long, value_name = "PATTERN")]
    tag: Option<Pattern>,

    /// With the action line before each, as a bulk request has it.
    #[arg(long)]
    with_action: bool,

    #[command(flatten)]
    place: Place,
}

/// Prints them, in the order in which they lie on disk. Failed where something could not be read.
pub(super) fn cat(options: &CatOptions) -> Exit {
    let snapshot = match options.place.open() {
        Ok(snapshot) => snapshot,
        Err(exit) => return exit,
    };
    let mut out = BufWriter::new(io::stdout().lock());
    match print(&snapshot, options, &mut out) {
        Ok(exit) => exit,
        // why: `| head` is a way to use it.
        Err(fault) if fault.kind() == io::ErrorKind::BrokenPipe => Exit::Clean,
        Err(fault) => fail(format!("cannot print: {fault}")),
    }
}

fn print(snapshot: &Snapshot, options: &CatOptions, out: &mut impl Write) -> io::Result<Exit> {
    let mut wounds = Vec::new();
    let mut printed = Ok(());
    let walked = snapshot.walk(&mut |found| {
        match found {
            Found::Segment(_) => (),
            Found::Wound(wound) => wounds.extend(Some(wound).filter(|wound| !wound.is_harmless())),
            Found::Record(stored) => {
                let wanted = (options.all || !stored.settled) && options.takes_segment(stored.place.segment);
                if wanted {
                    let mut documents = stored.documents().filter(|document| options.takes(document));
                    printed = documents.try_for_each(|document| options.print(&document, out));
                }
            }
        }
        if printed.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    printed?;
    out.flush()?;
    Ok(walked.map_or_else(fail, |()| tell_wounds(&wounds)))
}

impl CatOptions {
    fn takes_segment(&self, segment: u64) -> bool {
        self.segment.is_empty() || self.segment.contains(&segment)
    }

    fn takes(&self, document: &Document<'_>) -> bool {
        self.tag.as_ref().is_none_or(|pattern| pattern.matches(document.tag))
    }

    fn print(&self, document: &Document<'_>, out: &mut impl Write) -> io::Result<()> {
        if self.with_action {
            out.write_all(document.action)?;
            out.write_all(b"\n")?;
        }
        out.write_all(document.source)?;
        out.write_all(b"\n")
    }
}
