//! What an output says of its documents, their ids, times and names, where Forebay has its own way.

use super::draft::Draft;
use super::section::{Entry, Section};

/// What an entry has to be to make a difference.
type Differs = fn(&Entry) -> bool;

const ANY: Differs = |_| true;
const ON: Differs = Entry::is_on;

/// Keys, when they make a difference, and which.
const TOLD: [(&str, Differs, &str); 13] = [
    ("id_key", ANY, "documents have ids of Forebay's own: two events of one id are two documents"),
    ("write_operation", is_change, "documents are created, and none is changed"),
    ("time_key", is_other_time, "a document's time is in `@timestamp`: that of the event, or of its line"),
    ("utc_index", |entry| !entry.is_on(), "days of an index are those of UTC"),
    ("current_time_index", ON, "days of an index are those of the events"),
    ("include_timestamp", |entry| !entry.is_on(), "documents have a `@timestamp`"),
    ("replace_dots", ON, "a name keeps its dots, which are objects to Elasticsearch"),
    ("custom_headers", ANY, "no headers of one's own are sent"),
    ("template_name", ANY, TEMPLATE),
    ("template_file", ANY, TEMPLATE),
    ("template_overwrite", ANY, TEMPLATE),
    ("customize_template", ANY, TEMPLATE),
    ("template_pattern", ANY, TEMPLATE),
];

const TEMPLATE: &str = "Forebay installs a template of its own where none matches (install_template)";

/// Takes these keys out of `output`, and tells those that make a difference.
pub(super) fn tell(output: &mut Section, draft: &mut Draft) {
    for (key, differs, why) in TOLD {
        if let Some(entry) = output.take(&[key]).filter(differs) {
            draft.leave(entry.from(), why);
        }
    }
}

fn is_change(entry: &Entry) -> bool {
    !["index", "create"].contains(&entry.value.as_str())
}

fn is_other_time(entry: &Entry) -> bool {
    entry.value != "@timestamp"
}
