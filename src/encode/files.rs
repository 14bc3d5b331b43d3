//! Documents that are for files, where others go to Elasticsearch.
//!
//! In the buffer they look like all others, save for an index that no Elasticsearch has and no template can give: in its name
//! is a colon. A daemon whose configuration knows of no such documents any more has them refused, and keeps them as dead letters.

/// In place of an index.
pub(crate) const FILES: &str = "file:";

/// How the action line of such a document begins.
const ACTION: &[u8] = br#"{"create":{"_index":"file:","#;

/// Whether a document with this action line is for files.
pub(crate) fn is_for_files(action: &[u8]) -> bool {
    action.starts_with(ACTION)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::{Destination, Encoder, IdBase, legal_index};
    use crate::event::{Event, Fields, Timestamp};

    #[test]
    fn what_is_for_files_is_told_by_its_action_and_no_index_looks_like_it() {
        let time = Timestamp::new(1_700_000_000, 0).expect("a time");
        let event = Event { time, tag: "app", fields: Fields::default() };
        let mut out = Vec::new();
        Encoder::default().write(&mut out, &Destination::of_files(), &event, IdBase::random(), 1);
        assert!(is_for_files(&out), "{}", String::from_utf8_lossy(&out));
        assert_ne!(legal_index(FILES), FILES);
    }
}
