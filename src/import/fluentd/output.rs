//! `<match>`: where events go.

use crate::import::draft::{Draft, End};
use crate::import::section::Section;
use crate::import::words::{self, quote};
use crate::import::{line, settings, target};

/// What a match does with its events.
pub(super) enum Target {
    /// They end there.
    End(End),
    /// They go on at a label: at one of several, as an event goes one way. They end where a store beside the labels does if
    /// all of these lead nowhere.
    Labels(Vec<String>, Option<End>),
    /// They get another tag, by the rules in here.
    Retag(Section),
    /// Those of them that are a stack trace become one, and all go on from the start, or from a label.
    Traces(Traces),
}

/// What the plugin that finds stack traces does beside.
pub(super) struct Traces {
    /// What is taken off the tags, without its dot; nothing is empty.
    pub(super) prefix: String,
    /// Where events go on.
    pub(super) label: Option<String>,
}

/// Reads a match.
pub(super) fn read(directive: &Section, draft: &mut Draft) -> Target {
    let mut directive = directive.clone();
    let kind = directive.take(&["@type", "type"]).map(|kind| kind.value).unwrap_or_default();
    directive.pass_over(&["@id", "@log_level"]);
    match kind.as_str() {
        "relabel" => Target::Labels(vec![label(&directive)], None),
        "rewrite_tag_filter" => Target::Retag(directive),
        "detect_exceptions" => Target::Traces(traces(directive, draft)),
        "copy" => copy(directive, draft),
        _ => Target::End(end(&kind, directive, draft)),
    }
}

/// Which languages there are, and in which field the line is, is known without being told.
fn traces(mut directive: Section, draft: &mut Draft) -> Traces {
    if let Some(key) =
        directive.take(&["message"]).filter(|key| !key.value.is_empty() && !line::is_name(&key.value))
    {
        draft.leave(key.from(), line::ELSEWHERE);
    }
    directive.pass_over(&["languages", "stream", "force_line_breaks"]);
    if let Some(interval) = directive.take(&["multiline_flush_interval"])
        && let Some(time) = words::time(&interval.value)
    {
        draft.set("multiline", "timeout", quote(&time), interval.from());
    }
    if let Some(lines) = directive.take(&["max_lines"])
        && let Ok(number) = lines.value.parse::<u32>()
        && number > 0
    {
        draft.set("multiline", "lines", number.to_string(), lines.from());
    }
    if let Some(bytes) = directive.take(&["max_bytes"])
        && let Some(size) = words::size(&bytes.value, 1_024).filter(|size| size.0 > 0)
    {
        draft.set("multiline", "event_bytes", quote(&size.to_string()), bytes.from());
    }
    let prefix = directive.take(&["remove_tag_prefix"]);
    if let Some(prefix) = &prefix {
        draft.leave(prefix.from(), "the tag keeps what is taken off; `route` can give events another one");
    }
    let prefix = prefix.map(|entry| entry.value.trim_end_matches('.').to_owned()).unwrap_or_default();
    let label = directive.take(&["@label"]).map(|entry| entry.value);
    draft.leave_rest(&directive);
    Traces { prefix, label }
}

fn label(relabel: &Section) -> String {
    relabel.value("@label").unwrap_or_default().to_owned()
}

/// Whether one of the stores has an index.
fn is_indexed(copy: &Section) -> bool {
    copy.sections.iter().any(|store| matches!(kind(store), Kind::Index))
}

/// Of several stores the first that Forebay has counts, as it has one target; labels do where none has an index.
fn copy(mut directive: Section, draft: &mut Draft) -> Target {
    let mut found: Option<End> = None;
    let is_indexed = is_indexed(&directive);
    let mut labels = Vec::new();
    for mut store in directive.take_sections("store") {
        let kind = store.take(&["@type", "type"]).map(|kind| kind.value).unwrap_or_default();
        let from = store.from();
        if kind == "relabel" {
            let label = label(&store);
            match is_indexed {
                true => draft.leave(from, format!("an event goes to one index: `{label}` is not followed")),
                false => labels.push(label),
            }
            continue;
        }
        let end = end(&kind, store, draft);
        match &found {
            Some(first) if is_another(&end, first) => {
                draft.leave(from, "an event goes to one index");
            }
            Some(first) if first.index.is_some() || end.index.is_none() => {}
            _ if end.drops => {}
            _ => found = Some(end),
        }
    }
    directive.pass_over(&["deep_copy", "copy_mode"]);
    draft.leave_rest(&directive);
    if labels.is_empty() { Target::End(found.unwrap_or_default()) } else { Target::Labels(labels, found) }
}

/// Whether an output has an index that is not that of the one before.
fn is_another(end: &End, before: &End) -> bool {
    end.index.is_some() && before.index.is_some() && end.index_name() != before.index_name()
}

/// What becomes of the events of an output.
pub(super) enum Kind {
    Index,
    File,
    Null,
    /// They go to each of its stores.
    Copy,
    /// They go on at a label, or at the start.
    Onward,
    Other,
}

pub(super) fn kind(output: &Section) -> Kind {
    match output.value("@type").or(output.value("type")).unwrap_or_default() {
        kind if ELASTICSEARCH.contains(&kind) => Kind::Index,
        "file" => Kind::File,
        "null" => Kind::Null,
        "copy" => Kind::Copy,
        "relabel" | "rewrite_tag_filter" | "detect_exceptions" => Kind::Onward,
        _ => Kind::Other,
    }
}

/// Outputs that have an index.
const ELASTICSEARCH: [&str; 5] = [
    "elasticsearch",
    "elasticsearch_dynamic",
    "opensearch",
    "elasticsearch_data_stream",
    "opensearch_data_stream",
];

/// The field that takes the tag; what else is put into records is told.
fn inject(output: &mut Section, draft: &mut Draft) -> Option<(String, String)> {
    let mut tag = None;
    for mut inject in output.take_sections("inject") {
        tag = inject.take(&["tag_key"]).map(|key| (key.value.clone(), key.from())).or(tag);
        if inject.value("time_key") == Some("@timestamp") {
            inject.pass_over(&["time_key", "time_type", "time_format", "timezone", "localtime", "utc"]);
        }
        draft.leave_rest(&inject);
    }
    tag
}

fn end(kind: &str, mut output: Section, draft: &mut Draft) -> End {
    let injected = inject(&mut output, draft);
    let mut found = match kind {
        _ if ELASTICSEARCH.contains(&kind) => target::elasticsearch(&mut output, &target::FLUENTD, draft),
        "file" => {
            settings::file(&mut output, draft);
            End::default()
        }
        "null" => return End { drops: true, ..End::default() },
        _ => {
            let why =
                "Forebay has no such output; the events go to Elasticsearch, or to files, with the others";
            draft.leave(format!("{} @type {kind}", output.from()), why);
            return End::default();
        }
    };
    for mut buffer in output.take_sections("buffer") {
        settings::buffer(&mut buffer, 1_024, draft);
        draft.leave_rest(&buffer);
    }
    settings::buffer(&mut output, 1_024, draft);
    output.sections.retain(|below| !matches!(below.name.as_str(), "format" | "elasticsearch_error"));
    draft.leave_rest(&output);
    found.tag_field = found.tag_field.or(injected);
    found
}
