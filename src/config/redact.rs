//! `redact` in `[[pipeline.step]]`: what is looked for, and what becomes of it.

use super::lists::{all, items};
use super::section::Section;
use super::setting::{Read, Setting};
use super::tree::Node;
use crate::enrich::redact::{Family, Redact, RedactOptions};

/// Reads or prints the table; a fault is told at its key.
pub(super) fn redact(section: &mut Section<'_>, options: &mut RedactOptions) {
    let before = section.faults();
    section.key("find", &mut options.find);
    section.key("names", &mut options.names);
    section.key("patterns", &mut options.patterns);
    section.key("action", &mut options.action);
    section.key("mask", &mut options.mask);
    section.key("keep_last", &mut options.keep_last);
    section.secret("hash_key", &mut options.hash_key);
    section.key("whole_documents", &mut options.whole_documents);
    if section.faults() == before
        && let Err(fault) = Redact::new(options)
    {
        section.refuse(&[fault.key], fault.why);
    }
}

impl Setting for Vec<Family> {
    fn read(node: &Node) -> Read<Self> {
        all(items(node, "what to look for")?.iter().map(Family::read))
    }

    fn print(&self) -> String {
        let words: Vec<String> = self.iter().map(Setting::print).collect();
        format!("[{}]", words.join(", "))
    }
}
