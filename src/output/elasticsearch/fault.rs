//! What went wrong on the way to a node, in plain words.
//!
//! The HTTP stack nests its errors five deep and each layer says little; the chain is walked for what an operator
//! can act on. No text carries a credential: node URLs lose theirs before they reach the client.

use std::error::Error;
use std::fmt::Write as _;
use std::io;

/// The kinds, as the metric `forebay_output_errors` has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Dns,
    Connect,
    Tls,
    Timeout,
    Reset,
    Unreadable,
    Redirect,
    Status,
    Other,
}

impl Kind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Reset => "reset",
            Self::Unreadable => "unreadable",
            Self::Redirect => "redirect",
            Self::Status => "status",
            Self::Other => "other",
        }
    }

    /// What it means, and where to look.
    fn says(self) -> &'static str {
        match self {
            Self::Dns => "the host name cannot be resolved",
            Self::Connect => "nothing takes connections there",
            Self::Tls => {
                "TLS failed: see elasticsearch.ca_file, server_name and client_certificate, and whether the node speaks https"
            }
            Self::Timeout => "no answer within the time-out",
            Self::Reset => {
                "the connection was cut: the node stopped, or wants https where http is configured"
            }
            Self::Unreadable => "the answer is not one of a bulk request",
            Self::Redirect => {
                "the answer came from where the node redirects to: name what is meant in elasticsearch.hosts"
            }
            Self::Status => "the node cannot take requests now",
            Self::Other => "the request failed",
        }
    }
}

/// One failure to get an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} ({detail})", kind.says())]
pub(super) struct Fault {
    pub(super) kind: Kind,
    detail: String,
}

impl Fault {
    pub(super) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }

    /// Reads the chain of an error that the HTTP client gave.
    pub(super) fn classify(error: &(dyn Error + 'static), timed_out: bool) -> Self {
        let detail = chain(error);
        let kind = if timed_out { Kind::Timeout } else { kind_of(error, &detail.to_ascii_lowercase()) };
        Self { kind, detail }
    }
}

/// Every layer's text once, outermost first, without the URL: who reports the fault names the node, and a host may be
/// called anything, `alerts` too, which must not be taken for the matter.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = String::new();
    let mut layer = Some(error);
    while let Some(error) = layer {
        let whole = error.to_string();
        let own = whole.split_once(" for url (").map_or(whole.as_str(), |(before, _)| before);
        if !text.contains(own) {
            let colon = if text.is_empty() { "" } else { ": " };
            write!(text, "{colon}{own}").ok();
        }
        layer = error.source();
    }
    text
}

fn kind_of(error: &(dyn Error + 'static), text: &str) -> Kind {
    const WORDS: [(&[&str], Kind); 4] = [
        (&["dns error", "failed to lookup address", "no records found"], Kind::Dns),
        (
            &["certificate", "tls handshake", "invalidcontenttype", "received corrupt message", "alert"],
            Kind::Tls,
        ),
        (
            &["incomplete message", "connection closed", "connection reset", "end of file", "broken pipe"],
            Kind::Reset,
        ),
        (&["connection refused", "unreachable", "tunnel error"], Kind::Connect),
    ];
    let said = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let by_words = WORDS.iter().find(|(words, _)| said(words)).map(|(_, kind)| *kind);
    by_words.or_else(|| io_kind(error)).unwrap_or_else(|| fall_back(text))
}

fn fall_back(text: &str) -> Kind {
    if text.contains("error decoding response body") || text.contains("request or response body error") {
        Kind::Reset
    } else if text.contains("tcp connect error") {
        Kind::Connect
    } else {
        Kind::Other
    }
}

fn io_kind(error: &(dyn Error + 'static)) -> Option<Kind> {
    let mut layer = Some(error);
    while let Some(error) = layer {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            match io.kind() {
                io::ErrorKind::ConnectionRefused
                | io::ErrorKind::HostUnreachable
                | io::ErrorKind::NetworkUnreachable
                | io::ErrorKind::AddrNotAvailable => return Some(Kind::Connect),
                io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe
                | io::ErrorKind::UnexpectedEof => return Some(Kind::Reset),
                io::ErrorKind::TimedOut => return Some(Kind::Timeout),
                _ => {}
            }
        }
        layer = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("error sending request for url (http://alerts:9200/_bulk)")]
    struct Outer(#[source] io::Error);

    #[test]
    fn the_cause_is_found_below_the_wrapping() {
        for (cause, kind) in [
            (io::Error::from(io::ErrorKind::ConnectionRefused), Kind::Connect),
            (io::Error::from(io::ErrorKind::ConnectionReset), Kind::Reset),
            (io::Error::other("dns error: no records found"), Kind::Dns),
            (io::Error::other("invalid peer certificate: UnknownIssuer"), Kind::Tls),
            (io::Error::other("something new"), Kind::Other),
        ] {
            let fault = Fault::classify(&Outer(cause), false);
            assert_eq!(fault.kind, kind, "{fault}");
        }
    }

    #[test]
    fn the_name_of_a_host_says_nothing_of_the_matter() {
        let fault = Fault::classify(&Outer(io::Error::other("something new")), false);
        assert_eq!((fault.kind, fault.detail.contains("alerts")), (Kind::Other, false), "{fault}");
    }

    #[test]
    fn a_fault_says_what_it_means_and_what_was_reported() {
        let fault = Fault::classify(&Outer(io::Error::from(io::ErrorKind::ConnectionRefused)), false);
        let text = fault.to_string();
        assert!(text.starts_with("nothing takes connections there"), "{text}");
        assert!(text.contains("connection refused"), "{text}");
    }
}
