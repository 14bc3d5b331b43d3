//! `<match>`: where events go.

use crate::import::draft::{Draft, End};
use crate::import::section::Section;
use crate::import::{settings, target};

/// What a match does with its events.
pub(super) enum Target {
    /// They end there.
    End(End),
    /// They go on at a label.
    Label(String),
    /// They get another tag, by the rules in here.
    Retag(Section),
}

/// Reads a match.
pub(super) fn read(directive: &Section, draft: &mut Draft) -> Target {
    let mut directive = directive.clone();
    let kind = directive.take(&["@type", "type"]).map(|kind| kind.value).unwrap_or_default();
    directive.pass_over(&["@id", "@log_level"]);
    match kind.as_str() {
        "relabel" => Target::Label(directive.value("@label").unwrap_or_default().to_owned()),
        "rewrite_tag_filter" => Target::Retag(directive),
        "copy" => Target::End(copy(directive, draft)),
        _ => Target::End(end(&kind, directive, draft)),
    }
}

/// Of several stores the first that Forebay has counts, as it has one target.
fn copy(mut directive: Section, draft: &mut Draft) -> End {
    let mut found: Option<End> = None;
    for mut store in directive.take_sections("store") {
        let kind = store.take(&["@type", "type"]).map(|kind| kind.value).unwrap_or_default();
        store.title = format!("<store> @type {kind}");
        let from = store.from();
        let end = end(&kind, store, draft);
        match &found {
            Some(first) if end.index.is_some() && end.index != first.index && first.index.is_some() => {
                draft.leave(from, "an event goes to one index");
            }
            Some(first) if first.index.is_some() || end.index.is_none() => {}
            _ if end.drops => {}
            _ => found = Some(end),
        }
    }
    directive.pass_over(&["deep_copy", "copy_mode"]);
    draft.leave_rest(&directive);
    found.unwrap_or_default()
}

fn end(kind: &str, mut output: Section, draft: &mut Draft) -> End {
    let found = match kind {
        "elasticsearch"
        | "elasticsearch_dynamic"
        | "opensearch"
        | "elasticsearch_data_stream"
        | "opensearch_data_stream" => target::elasticsearch(&mut output, &target::FLUENTD, draft),
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
    output
        .sections
        .retain(|below| !matches!(below.name.as_str(), "inject" | "format" | "elasticsearch_error"));
    draft.leave_rest(&output);
    found
}
