//! `replace`: what a regex finds in a text, by another text.
//!
//! `with` may name groups: `$1`, `${name}`; `$$` is the sign itself. A number or a truth in which something is found becomes text.

use bumpalo::Bump;
use bumpalo::collections::Vec as ArenaVec;
use regex::bytes::{Match, Regex};

use super::options::ReplaceOptions;
use crate::enrich::path::Path;
use crate::enrich::view;
use crate::event::{Event, Value};

/// See the module.
#[derive(Debug)]
pub(super) struct Replace {
    path: Path,
    regex: Regex,
    with: String,
    /// Whether `with` names groups.
    expands: bool,
}

/// The groups that a replacement names: `$1`, `$name`, `${name}`.
fn groups(with: &str) -> impl Iterator<Item = &str> {
    let mut rest = with;
    std::iter::from_fn(move || {
        loop {
            let (_, after) = rest.split_once('$')?;
            rest = after.strip_prefix('$').unwrap_or(after);
            if rest.len() < after.len() {
                continue;
            }
            if let Some((group, behind)) = after.strip_prefix('{').and_then(|inside| inside.split_once('}')) {
                rest = behind;
                return Some(group);
            }
            let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_';
            let end = after.find(|character| !is_part(character)).unwrap_or(after.len());
            if end > 0 {
                rest = after.get(end..).unwrap_or_default();
                return after.get(..end);
            }
        }
    })
}

fn is_there(regex: &Regex, group: &str) -> bool {
    match group.parse::<usize>() {
        Ok(number) => number < regex.captures_len(),
        Err(_) => regex.capture_names().flatten().any(|name| name == group),
    }
}

impl Replace {
    pub(super) fn new(options: &ReplaceOptions) -> Result<Self, String> {
        let regex = Regex::new(&options.pattern).map_err(|error| format!("pattern: {error}"))?;
        let (path, with) = (super::field(&options.field)?, options.with.clone());
        if let Some(group) = groups(&with).find(|group| !is_there(&regex, group)) {
            return Err(format!(
                "with: names the group `{group}`, which the pattern does not have; `$$` is the sign itself, and letters \
                 behind a group are parted from it by braces: `${{1}}x`"
            ));
        }
        Ok(Self { path, regex, expands: with.contains('$'), with })
    }

    #[inline(never)]
    pub(super) fn apply<'a>(&self, event: &mut Event<'a>, arena: &'a Bump) {
        self.path.change(&mut event.fields, arena, |value| {
            let text = view::shown(value, arena)?;
            self.regex.is_match(text).then(|| Value::Text(self.replaced(text, arena)))
        });
    }

    fn replaced<'a>(&self, text: &[u8], arena: &'a Bump) -> &'a [u8] {
        let mut out = ArenaVec::with_capacity_in(text.len(), arena);
        let mut end = 0;
        if self.expands {
            let mut with = Vec::new();
            for groups in self.regex.captures_iter(text) {
                with.clear();
                groups.expand(self.with.as_bytes(), &mut with);
                end = put(&mut out, text, end, groups.get_match(), &with);
            }
        } else {
            for found in self.regex.find_iter(text) {
                end = put(&mut out, text, end, found, self.with.as_bytes());
            }
        }
        out.extend_from_slice_copy(text.get(end..).unwrap_or_default());
        out.into_bump_slice()
    }
}

/// Writes what stands between `end` and the match, and `with`; answers where to go on. Nothing is put into a character: the
/// empty text is found between any two bytes.
fn put(out: &mut ArenaVec<'_, u8>, text: &[u8], end: usize, found: Match<'_>, with: &[u8]) -> usize {
    let is_inside = |byte: &u8| byte & 0xc0 == 0x80;
    if found.is_empty() && text.get(found.start()).is_some_and(is_inside) {
        return end;
    }
    out.extend_from_slice_copy(text.get(end..found.start()).unwrap_or_default());
    out.extend_from_slice_copy(with);
    found.end()
}
