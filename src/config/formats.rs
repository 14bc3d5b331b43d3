//! `[format.NAME]`, and `parse`, which names these formats and those that are known.

use std::sync::Arc;

use super::checks::Checked;
use super::lists::{all, items};
use super::section::Section;
use super::setting::{Read, quote, text, wrong};
use super::tree::{Node, Value};
use crate::parse::{Format, Grammar, Own, OwnOptions, Parse};

/// The formats of a configuration by name; none where one could not be compiled, which has been told.
pub(super) type Formats = Vec<(String, Option<Arc<Own>>)>;

/// What `parse` says beside names of formats.
const WORDS: [&str; 2] = ["auto", "none"];

/// Reads or prints the tables, and compiles what they describe.
pub(super) fn formats(section: &mut Section<'_>, slot: &mut Vec<(String, OwnOptions)>) -> Formats {
    let faults = section.faults();
    section.named_tables("format", slot, name, format);
    let is_right = section.faults() == faults;
    let compile = |(name, options): &(String, OwnOptions)| {
        let own = if is_right { Own::compile(name, options).map(Arc::new).map(Some) } else { Ok(None) };
        let own = own.unwrap_or_else(|fault| {
            section.refuse_at(&["format", name, fault.key], fault.why);
            None
        });
        (name.clone(), own)
    };
    slot.iter().map(compile).collect()
}

fn format(section: &mut Section<'_>, options: &mut OwnOptions) {
    section.key("regex", &mut options.regex);
    section.key("grok", &mut options.grok);
    section.key("dissect", &mut options.dissect);
    section.key("types", &mut options.types);
    section.key("patterns", &mut options.patterns);
    section.key("time", &mut options.time);
}

/// A name that `parse` can tell from all others.
fn name(name: &str) -> Checked {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if name.is_empty() || !name.bytes().all(is_plain) {
        return Err("a format's name has letters, digits, `_` and `-`".into());
    }
    if WORDS.contains(&name) || Format::named(name).is_some() {
        return Err(format!("`{name}` means another format already; choose another name"));
    }
    Ok(())
}

/// The key that says how lines are read.
pub(super) fn parse(section: &mut Section<'_>, slot: &mut Parse, formats: &Formats) {
    section.key_by("parse", slot, |node| read(node, formats), print);
}

fn read(node: &Node, own: &Formats) -> Read<Parse> {
    let items = items(node, "formats")?;
    if let [Node { value: Value::Text(word) | Value::Loose(word), .. }] = &*items {
        match word.trim() {
            "auto" => return Ok(Parse::Auto),
            "none" => return Ok(Parse::None),
            _ => (),
        }
    }
    if items.is_empty() {
        return wrong(node, "names no format");
    }
    let formats = all(items.iter().map(|item| grammar(item, own)))?;
    Ok(Parse::Formats(formats.into_iter().flatten().collect()))
}

/// A format by its name; a fault names the nearest there is.
fn grammar(node: &Node, own: &Formats) -> Read<Option<Grammar>> {
    let name = text(node, "the name of a format")?.trim();
    if let Some((_, own)) = own.iter().find(|(own, _)| own == name) {
        return Ok(own.clone().map(Grammar::Own));
    }
    if let Some(known) = Grammar::named(name) {
        return Ok(Some(known));
    }
    let all = own.iter().map(|(own, _)| own.as_str()).chain(Format::ALL.iter().map(|format| format.name()));
    let nearest = all.min_by_key(|known| strsim::damerau_levenshtein(known, name)).unwrap_or("auto");
    wrong(node, format!("`{name}` is no format that is known; did you mean `{nearest}`?"))
}

fn print(parse: &Parse) -> String {
    match parse {
        Parse::Auto => quote("auto"),
        Parse::None => quote("none"),
        Parse::Formats(formats) => match formats.as_slice() {
            [one] => quote(one.called()),
            several => {
                let names: Vec<_> = several.iter().map(|format| quote(format.called())).collect();
                format!("[{}]", names.join(", "))
            }
        },
    }
}

#[cfg(test)]
mod tests;
