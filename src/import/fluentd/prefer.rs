//! Of several labels the one that events go on at, as an event goes one way.

use super::output::{self, Kind};
use super::route::Labels;
use crate::import::section::Section;

/// What the best match of a label does with its events, the best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Best {
    Index,
    File,
    /// An output that Forebay does not have, or none.
    Other,
    Drop,
}

/// The first of the labels that lead to an index; else to files; else to anything but nowhere. What leads back to `here`, the
/// label that events come from, leads nowhere.
pub(super) fn prefer(labels: &Labels, here: &str, names: &[String]) -> Option<String> {
    names.iter().min_by_key(|name| label(labels, name, &mut vec![here])).cloned()
}

/// Whether all of the labels throw their events away.
pub(super) fn are_nowhere(labels: &Labels, here: &str, names: &[String]) -> bool {
    names.iter().all(|name| label(labels, name, &mut vec![here]) == Best::Drop)
}

/// `seen` are labels whose matches were counted: labels may lead to one another in circles.
fn label<'l>(labels: &'l Labels, name: &'l str, seen: &mut Vec<&'l str>) -> Best {
    if seen.contains(&name) {
        return Best::Drop;
    }
    seen.push(name);
    let Some(route) = labels.get(name) else { return Best::Other };
    let matches = route.iter().filter(|directive| directive.name == "match");
    matches.map(|directive| end(labels, directive, seen)).min().unwrap_or(Best::Other)
}

fn end<'l>(labels: &'l Labels, output: &'l Section, seen: &mut Vec<&'l str>) -> Best {
    match output::kind(output) {
        Kind::Index => Best::Index,
        Kind::File => Best::File,
        Kind::Null => Best::Drop,
        Kind::Copy => {
            let stores = output.sections.iter().filter(|below| below.name == "store");
            stores.map(|store| end(labels, store, seen)).min().unwrap_or(Best::Other)
        }
        // why: without a label they go on at the other matches here, which are counted anyway.
        Kind::Onward => output.value("@label").map_or(Best::Drop, |name| label(labels, name, seen)),
        Kind::Other => Best::Other,
    }
}
