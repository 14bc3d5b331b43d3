//! What becomes of a document or a whole request, from what the target answered. Pure functions, no I/O.
//!
//! | answer                                         | verdict                                                        |
//! |------------------------------------------------|----------------------------------------------------------------|
//! | item 2xx                                       | delivered; `failure_store: used` is counted apart              |
//! | item 409, a version conflict (on create)       | delivered before                                               |
//! | item 429, 408, 5xx, or unknown                 | again                                                          |
//! | item 401, 403, 404; any `cluster_block`        | hold: an operator can mend it                                  |
//! | item 400 of a closed index, a missing pipeline or too many shards | hold: no fault of the document              |
//! | item 400 of an index that was just being made  | again                                                          |
//! | any other item 4xx                             | dead letter                                                    |
//! | request 2xx                                    | by item                                                        |
//! | request 413                                    | split; one document alone: dead letter                         |
//! | request 400 in the target's own words          | bisect; one document alone: dead letter                        |
//! | request 429                                    | again, with less at once                                       |
//! | request 408, 5xx                               | again, on another node                                         |
//! | request 401, 403, 404, anything else           | hold                                                           |
//!
//! A 400 that is not in the target's own words (a proxy's page, http spoken to https) is held and not bisected: it says
//! nothing about a document, and bisecting it would bury every one.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// The `error` of an item or a request, as far as it matters here.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Reported<'a> {
    /// Such as `document_parsing_exception`.
    #[serde(borrow, default, rename = "type")]
    pub(super) kind: Cow<'a, str>,
    /// In words; may quote the document.
    #[serde(borrow, default)]
    pub(super) reason: Cow<'a, str>,
    #[serde(borrow, default)]
    caused_by: Option<Cause<'a>>,
}

#[derive(Debug, Default, Deserialize)]
struct Cause<'a> {
    #[serde(borrow, default)]
    reason: Option<Cow<'a, str>>,
}

impl<'a> Reported<'a> {
    /// Reads an `error`: an object, or words alone as old versions have them.
    pub(super) fn read(raw: Option<&'a RawValue>) -> Self {
        let Some(raw) = raw else { return Self::default() };
        serde_json::from_str(raw.get()).unwrap_or_else(|_| Self {
            reason: serde_json::from_str(raw.get()).unwrap_or(Cow::Borrowed("")),
            ..Self::default()
        })
    }

    /// The reason and what caused it, cut to a sensible length.
    pub(super) fn text(&self) -> String {
        const MOST: usize = 4096;
        let cause = self.caused_by.as_ref().and_then(|cause| cause.reason.as_deref());
        let whole = match cause {
            Some(cause) if !self.reason.contains(cause) => format!("{}: {cause}", self.reason),
            _ => self.reason.to_string(),
        };
        whole.chars().take(MOST).collect()
    }
}

/// What holds documents back until an operator has seen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Obstacle {
    Unauthorized,
    Forbidden,
    NotFound,
    Blocked,
    DiskFull,
    Closed,
    Shards,
    Pipeline,
    NotBulk,
    /// No fault of the target: what it refuses for good cannot be kept here.
    DeadLetters,
}

impl Obstacle {
    /// As metrics have it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Unauthorized | Self::Forbidden => "auth",
            Self::NotFound => "not_found",
            Self::Blocked | Self::DiskFull | Self::Closed => "blocked",
            Self::Shards => "shards",
            Self::Pipeline => "pipeline",
            Self::NotBulk => "not_bulk",
            Self::DeadLetters => "dead_letters",
        }
    }

    /// What is the matter and what to do.
    pub(super) fn advice(self) -> &'static str {
        match self {
            Self::Unauthorized => {
                "the target refuses the credentials: see elasticsearch.username, api_key, bearer_token"
            }
            Self::Forbidden => {
                "the credentials may not write there: grant create_doc (and auto_configure or create_index) on the index"
            }
            Self::NotFound => {
                "the index is not there and may not be made: make it, allow action.auto_create_index, or see the path in elasticsearch.hosts"
            }
            Self::Blocked => {
                "the index or cluster is blocked for writing: lift index.blocks.* or cluster.blocks.*"
            }
            Self::DiskFull => {
                "the target's disk is over its watermark: free space there, it lifts the block by itself"
            }
            Self::Closed => "the index is closed: open it, or write to another",
            Self::Shards => {
                "the cluster has as many shards as it may: raise cluster.max_shards_per_node or delete indices"
            }
            Self::Pipeline => {
                "the index names an ingest pipeline that is not there: make it, or take it out of the index's settings"
            }
            Self::NotBulk => {
                "what answers there is no bulk endpoint: see elasticsearch.hosts, https as against http, and proxies"
            }
            Self::DeadLetters => {
                "dead letters cannot be written: see dead_letters.directory, and the disk that it is on"
            }
        }
    }
}

/// What becomes of one document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Indexed; in the failure store where so.
    Delivered {
        failure_store: bool,
    },
    /// Indexed by an earlier attempt.
    Duplicate,
    Again {
        overload: bool,
    },
    Hold(Obstacle),
    /// Never to be taken, for a reason of one word.
    Refused(&'static str),
}

/// What becomes of a request as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whole {
    ByItem,
    Again,
    /// Again, on another node.
    Elsewhere {
        overload: bool,
    },
    TooLarge,
    Malformed,
    Hold(Obstacle),
}

/// The verdict on one item.
pub(super) fn of_item(status: u16, failure_store: bool, error: &Reported<'_>) -> Verdict {
    if let (400..=499, Some(obstacle)) = (status, obstacle(error)) {
        return Verdict::Hold(obstacle);
    }
    match status {
        200..=299 => Verdict::Delivered { failure_store },
        409 if error.kind.is_empty() || error.kind.contains("version_conflict") => Verdict::Duplicate,
        429 => Verdict::Again { overload: true },
        408 | 409 => Verdict::Again { overload: false },
        401 => Verdict::Hold(Obstacle::Unauthorized),
        403 => Verdict::Hold(Obstacle::Forbidden),
        404 => Verdict::Hold(Obstacle::NotFound),
        400 if error.kind == "resource_already_exists_exception" => Verdict::Again { overload: false },
        413 => Verdict::Refused("too_large"),
        400..=499 => Verdict::Refused(word(&error.kind)),
        503 => Verdict::Again { overload: true },
        _ => Verdict::Again { overload: false },
    }
}

/// The verdict on a request.
pub(super) fn of_request(status: u16, error: &Reported<'_>) -> Whole {
    if let (400..=499, Some(obstacle)) = (status, obstacle(error)) {
        return Whole::Hold(obstacle);
    }
    match status {
        200..=299 => Whole::ByItem,
        413 => Whole::TooLarge,
        400 if error.kind.is_empty() => Whole::Hold(Obstacle::NotBulk),
        400 if error.reason.contains("unrecognized parameter") => Whole::Hold(Obstacle::NotBulk),
        400 => Whole::Malformed,
        429 => Whole::Again,
        408 | 503 => Whole::Elsewhere { overload: true },
        500..=599 => Whole::Elsewhere { overload: false },
        401 => Whole::Hold(Obstacle::Unauthorized),
        403 => Whole::Hold(Obstacle::Forbidden),
        404 => Whole::Hold(Obstacle::NotFound),
        _ => Whole::Hold(Obstacle::NotBulk),
    }
}

/// What is no fault of the document although the status alone would say so.
fn obstacle(error: &Reported<'_>) -> Option<Obstacle> {
    let reason = &error.reason;
    match &*error.kind {
        "cluster_block_exception" if reason.contains("disk") || reason.contains("TOO_MANY_REQUESTS/12") => {
            Some(Obstacle::DiskFull)
        }
        "cluster_block_exception" | "index_create_block_exception" => Some(Obstacle::Blocked),
        "index_closed_exception" => Some(Obstacle::Closed),
        "validation_exception" if reason.contains("shards") => Some(Obstacle::Shards),
        "illegal_argument_exception" if reason.contains("pipeline with id") => Some(Obstacle::Pipeline),
        _ => None,
    }
}

fn word(kind: &str) -> &'static str {
    match kind {
        "mapper_parsing_exception"
        | "document_parsing_exception"
        | "strict_dynamic_mapping_exception"
        | "illegal_argument_exception" => "mapping",
        "invalid_index_name_exception" => "index_name",
        _ => "refused",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(kind: &'static str, reason: &'static str) -> Reported<'static> {
        Reported { kind: kind.into(), reason: reason.into(), caused_by: None }
    }

    #[test]
    fn each_item_gets_the_verdict_of_the_table() {
        use Obstacle::{Blocked, Closed, DiskFull, Forbidden, NotFound, Pipeline, Shards, Unauthorized};
        let disk = "index [x] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark];";
        let shards = "this action would add [2] shards, but this cluster currently has [1000]/[1000] maximum";
        for (status, kind, reason, verdict) in [
            (201, "", "", Verdict::Delivered { failure_store: false }),
            (409, "version_conflict_engine_exception", "", Verdict::Duplicate),
            (409, "", "", Verdict::Duplicate),
            (409, "something_else", "", Verdict::Again { overload: false }),
            (429, "es_rejected_execution_exception", "", Verdict::Again { overload: true }),
            (500, "", "", Verdict::Again { overload: false }),
            (502, "", "", Verdict::Again { overload: false }),
            (503, "unavailable_shards_exception", "", Verdict::Again { overload: true }),
            (504, "", "", Verdict::Again { overload: false }),
            (301, "", "", Verdict::Again { overload: false }),
            (0, "", "", Verdict::Again { overload: false }),
            (401, "security_exception", "", Verdict::Hold(Unauthorized)),
            (403, "security_exception", "", Verdict::Hold(Forbidden)),
            (
                403,
                "cluster_block_exception",
                "index [x] blocked by: [FORBIDDEN/8/index write]",
                Verdict::Hold(Blocked),
            ),
            (429, "cluster_block_exception", disk, Verdict::Hold(DiskFull)),
            (404, "index_not_found_exception", "", Verdict::Hold(NotFound)),
            (400, "index_closed_exception", "closed", Verdict::Hold(Closed)),
            (400, "validation_exception", shards, Verdict::Hold(Shards)),
            (
                400,
                "illegal_argument_exception",
                "pipeline with id [p] does not exist",
                Verdict::Hold(Pipeline),
            ),
            (400, "resource_already_exists_exception", "", Verdict::Again { overload: false }),
            (400, "mapper_parsing_exception", "", Verdict::Refused("mapping")),
            (400, "invalid_index_name_exception", "", Verdict::Refused("index_name")),
            (400, "anything_else", "", Verdict::Refused("refused")),
            (413, "", "", Verdict::Refused("too_large")),
        ] {
            assert_eq!(of_item(status, false, &error(kind, reason)), verdict, "{status} {kind} {reason}");
        }
    }

    #[test]
    fn each_request_gets_the_verdict_of_the_table() {
        for (status, kind, verdict) in [
            (200, "", Whole::ByItem),
            (413, "", Whole::TooLarge),
            (400, "illegal_argument_exception", Whole::Malformed),
            (400, "", Whole::Hold(Obstacle::NotBulk)),
            (405, "", Whole::Hold(Obstacle::NotBulk)),
            (429, "circuit_breaking_exception", Whole::Again),
            (500, "", Whole::Elsewhere { overload: false }),
            (502, "", Whole::Elsewhere { overload: false }),
            (503, "", Whole::Elsewhere { overload: true }),
            (504, "", Whole::Elsewhere { overload: false }),
            (401, "security_exception", Whole::Hold(Obstacle::Unauthorized)),
            (403, "security_exception", Whole::Hold(Obstacle::Forbidden)),
            (403, "cluster_block_exception", Whole::Hold(Obstacle::Blocked)),
            (404, "", Whole::Hold(Obstacle::NotFound)),
        ] {
            assert_eq!(of_request(status, &error(kind, "")), verdict, "{status} {kind}");
        }
    }

    #[test]
    fn the_reason_takes_its_cause_along() {
        let raw = r#"{"type":"mapper_parsing_exception","reason":"failed to parse field [n]","caused_by":{"reason":"For input string: \"x\""}}"#;
        let raw: &RawValue = serde_json::from_str(raw).expect("JSON");
        assert_eq!(Reported::read(Some(raw)).text(), "failed to parse field [n]: For input string: \"x\"");
        let words: &RawValue = serde_json::from_str(r#""no such thing""#).expect("JSON");
        assert_eq!(Reported::read(Some(words)).text(), "no such thing");
    }
}
