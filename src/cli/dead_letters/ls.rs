//! `forebay dead-letters ls`: how many letters there are, in which files, and of what kind.

use std::collections::BTreeMap;

use clap::Args;
use serde::Serialize;

use super::{Data, Exit, Which, complain, count, fail, say, size};
use crate::output::dead_letters::{Filter, Letters, Stored};

/// What to count.
#[derive(Args, Debug)]
pub(crate) struct LsOptions {
    #[command(flatten)]
    which: Which,

    /// Those for this index; `*` stands for any characters.
    #[arg(long, value_name = "INDEX")]
    index: Option<String>,

    /// Prints one JSON object.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    data: Data,
}

/// Letters of one file, or of one kind.
#[derive(Debug, Default, Serialize)]
struct Sum {
    letters: u64,
    bytes: u64,
    first: String,
    last: String,
}

/// What letters are grouped by.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Kind {
    reason: String,
    #[serde(rename = "type")]
    kind: String,
    index: String,
    tag: String,
}

#[derive(Debug, Serialize)]
struct Group {
    #[serde(flatten)]
    kind: Kind,
    #[serde(flatten)]
    sum: Sum,
}

#[derive(Debug, Serialize)]
struct InFile {
    file: String,
    /// Letters that a replay has settled, whatever the filter.
    settled: u64,
    #[serde(flatten)]
    sum: Sum,
}

#[derive(Debug, Serialize)]
struct Listing {
    folder: String,
    letters: u64,
    bytes: u64,
    settled: u64,
    /// Lines that are no letters.
    unreadable: u64,
    files: Vec<InFile>,
    groups: Vec<Group>,
}

/// Lists them. Failed where a line is no letter.
pub(super) fn ls(options: &LsOptions) -> Exit {
    let letters = match options.data.letters() {
        Ok(letters) => letters,
        Err(exit) => return exit,
    };
    let listing = match look(&letters, &options.which.filter(options.index.as_ref())) {
        Ok(listing) => listing,
        Err(fault) => return fail(format!("cannot read {}: {fault}", letters.folder().display())),
    };
    if options.json {
        say(&serde_json::to_string(&listing).unwrap_or_default());
    } else {
        listing.tell();
    }
    if listing.unreadable == 0 {
        return Exit::Clean;
    }
    complain(&format!("{} cannot be read", count(listing.unreadable, "line")));
    Exit::Failed
}

fn look(letters: &Letters, filter: &Filter) -> std::io::Result<Listing> {
    let mut files: BTreeMap<String, (u64, Sum)> = BTreeMap::new();
    let mut groups: BTreeMap<Kind, Sum> = BTreeMap::new();
    let mut unreadable = 0;
    letters.each(|place, settled, line| {
        let (settled_here, in_file) = files.entry(place.file_name().to_owned()).or_default();
        match Stored::read(line) {
            _ if settled => *settled_here += 1,
            None => unreadable += 1,
            Some(letter) if filter.takes(&letter) => {
                in_file.add(&letter, line.len());
                groups.entry(Kind::of(&letter)).or_default().add(&letter, line.len());
            }
            Some(_) => {}
        }
        true
    })?;
    let mut groups: Vec<_> = groups.into_iter().map(|(kind, sum)| Group { kind, sum }).collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.sum.letters));
    let files: Vec<_> =
        files.into_iter().map(|(file, (settled, sum))| InFile { file, settled, sum }).collect();
    Ok(Listing {
        folder: letters.folder().display().to_string(),
        letters: files.iter().map(|file| file.sum.letters).sum(),
        bytes: files.iter().map(|file| file.sum.bytes).sum(),
        settled: files.iter().map(|file| file.settled).sum(),
        unreadable,
        files,
        groups,
    })
}

impl Sum {
    fn add(&mut self, letter: &Stored<'_>, bytes: usize) {
        self.letters += 1;
        self.bytes += bytes as u64;
        if self.first.is_empty() || *letter.time < *self.first {
            self.first = letter.time.to_string();
        }
        if *letter.time > *self.last {
            self.last = letter.time.to_string();
        }
    }

    fn times(&self) -> String {
        format!("{} to {}", self.first, self.last)
    }
}

impl Kind {
    fn of(letter: &Stored<'_>) -> Self {
        let text = |text: &str| text.to_owned();
        let (reason, kind) = (text(&letter.reason), text(&letter.kind));
        Self { reason, kind, index: text(&letter.index), tag: text(&letter.tag) }
    }
}

impl Listing {
    fn tell(&self) {
        say(&format!("{} in {}, {}", count(self.letters, "letter"), self.folder, size(self.bytes)));
        for InFile { file, settled, sum } in &self.files {
            let times = if sum.letters > 0 { format!(", {}", sum.times()) } else { String::new() };
            let settled = if *settled > 0 { format!(", {settled} settled") } else { String::new() };
            say(&format!("  {file}: {}{settled}, {}{times}", count(sum.letters, "letter"), size(sum.bytes)));
        }
        for Group { kind, sum } in &self.groups {
            let Kind { reason, kind, index, tag } = kind;
            say(&format!(
                "{:>8}  {reason}  {kind}  index `{index}`  tag `{tag}`  {}",
                sum.letters,
                sum.times()
            ));
        }
    }
}
