//! Parsers that Fluent Bit's filters name: in the file itself, in files beside it, or known to everybody.

use std::path::Path;
use std::sync::Arc;

use crate::import::Unreadable;
use crate::import::draft::{Draft, Effect};
use crate::import::format::{self, Layout};
use crate::import::include::Parse;
use crate::import::line;
use crate::import::ruby::regex;
use crate::import::section::Section;
use crate::import::words::{inline, quote};

/// Parsers by name.
#[derive(Default)]
pub(super) struct Parsers {
    lines: Vec<Section>,
    several: Vec<Section>,
}

impl Parsers {
    /// Those of `root`, and of the files that are `named`, as far as they can be read.
    pub(super) fn read(
        root: &mut Section,
        named: &[String],
        parse: Parse,
        draft: &mut Draft,
    ) -> Result<Self, Unreadable> {
        let mut parsers = Self::default();
        parsers.add(root);
        for name in named {
            // Those that come with Fluent Bit are known, and stand where it is installed.
            let path = Path::new(&*root.place.file).parent().unwrap_or(Path::new("")).join(name);
            match std::fs::read_to_string(&path) {
                Ok(text) => {
                    let file: Arc<str> = path.to_string_lossy().into();
                    let is_yaml = path.extension().is_some_and(|end| end == "yaml" || end == "yml");
                    let read = if is_yaml { parse } else { super::classic };
                    parsers.add(&mut read(&text, &file)?);
                }
                Err(_) if name.ends_with("parsers.conf") => {}
                Err(error) => draft.leave(format!("parsers_file {name}"), format!("cannot be read: {error}")),
            }
        }
        Ok(parsers)
    }

    fn add(&mut self, root: &mut Section) {
        self.lines.extend(root.take_sections("parser"));
        self.several.extend(root.take_sections("multiline_parser"));
    }

    /// The format of a parser for lines.
    pub(super) fn line(&self, name: &str, from: &str, draft: &mut Draft) -> Vec<Effect> {
        let found = self.lines.iter().find(|parser| parser.value("name") == Some(name));
        let Some(mut parser) = found.cloned() else {
            let mut nothing = Section::file(&"".into());
            return format::of_kind(name, from, &mut nothing, draft);
        };
        let kind = parser.take(&["format"]).map(|kind| kind.value.to_ascii_lowercase()).unwrap_or_default();
        parser.pass_over(&["name", "time_keep", "time_strict", "skip_empty_values", "logfmt_no_bare_keys"]);
        let effects = match parser.take(&["regex"]).filter(|_| kind == "regex") {
            Some(regex) => format::of_own((Layout::Regex, &regex), &mut parser, Some(name), draft),
            None => format::of_kind(&kind, from, &mut parser, draft),
        };
        draft.leave_rest(&parser);
        effects
    }

    /// How a parser for several lines joins them.
    pub(super) fn several(&self, name: &str, from: &str, draft: &mut Draft) -> Option<Effect> {
        match self.several.iter().find(|parser| parser.value("name") == Some(name)) {
            Some(parser) => rules(parser, draft).map(Effect::Multiline),
            None if ["java", "go", "python", "ruby"].contains(&name) => {
                Some(Effect::Multiline(quote("traces")))
            }
            // Docker's parts are joined anyway, and those of CRI by whoever reads the file.
            None if ["docker", "cri"].contains(&name) => None,
            None => {
                draft.leave(from, format!("there is no parser `{name}` for several lines"));
                None
            }
        }
    }
}

/// The rule of the first line, and all others as rules of what goes on with it.
fn rules(parser: &Section, draft: &mut Draft) -> Option<String> {
    let mut settings = parser.clone();
    if let Some(key) = settings.take(&["key_content"]).filter(|key| !line::is_name(&key.value)) {
        draft.leave(key.from(), line::ELSEWHERE);
        return None;
    }
    let flush = settings.take(&["flush_timeout", "flush_ms"]);
    if let Some(flush) = flush.filter(|flush| flush.value.parse::<u32>().is_ok_and(|ms| ms > 0)) {
        draft.set("multiline", "timeout", quote(&format!("{}ms", flush.value)), flush.from());
    }
    settings.pass_over(&["name", "type", "rule"]);
    settings.sections.clear();
    draft.leave_rest(&settings);
    let classic = parser.entries.iter().filter(|entry| entry.key == "rule");
    let mut rules: Vec<(String, String)> = classic
        .filter_map(|entry| {
            let mut parts = entry.value.split('"').skip(1).step_by(2);
            Some((parts.next()?.to_owned(), parts.next()?.to_owned()))
        })
        .collect();
    let yaml = parser.sections.iter().filter(|below| below.name == "rule" || below.name == "rules");
    rules.extend(
        yaml.filter_map(|rule| Some((rule.value("state")?.to_owned(), rule.value("regex")?.to_owned()))),
    );
    let (starts, follows): (Vec<_>, Vec<_>) =
        rules.into_iter().partition(|(state, _)| state == "start_state");
    let mut read = |rules: &[(String, String)]| -> Option<String> {
        let patterns: Result<Vec<String>, String> = rules.iter().map(|(_, pattern)| regex(pattern)).collect();
        match patterns {
            Ok(patterns) if patterns.is_empty() => None,
            Ok(patterns) => Some(quote(&patterns.join("|"))),
            Err(why) => {
                draft.leave(parser.from(), why);
                None
            }
        }
    };
    let both = [("start", read(&starts)), ("follow", read(&follows))];
    let known: Vec<(String, String)> =
        both.into_iter().filter_map(|(name, pattern)| Some((name.to_owned(), pattern?))).collect();
    (!known.is_empty()).then(|| inline(&known))
}
