//! The labels of families, and the member of a family that a word names.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

/// One label, `reason`, from a fixed set of words.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Reason {
    /// The word.
    pub reason: &'static str,
}

/// One label, `kind`, from a fixed set of words.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Kind {
    /// The word.
    pub kind: &'static str,
}

/// One label, `format`: that of a line.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct LineFormat {
    /// Its name.
    pub format: &'static str,
}

/// One label, `listener`: an address that is listened on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Listening {
    /// The address.
    pub listener: String,
}

/// A family of counters by reason.
pub type ByReason = Family<Reason, Counter>;

/// A family of counters by kind.
pub type ByKind = Family<Kind, Counter>;

/// A family of counters by a line's format.
pub type ByFormat = Family<LineFormat, Counter>;

/// A family of gauges by listener.
pub type ByListener = Family<Listening, Gauge>;

/// The counter of one reason.
pub fn reason(family: &ByReason, reason: &'static str) -> Counter {
    family.get_or_create_owned(&Reason { reason })
}

/// The counter of one kind.
pub fn kind(family: &ByKind, kind: &'static str) -> Counter {
    family.get_or_create_owned(&Kind { kind })
}

/// The counter of one format.
pub fn line_format(family: &ByFormat, format: &'static str) -> Counter {
    family.get_or_create_owned(&LineFormat { format })
}

/// The gauge of one listener.
pub fn listener(family: &ByListener, address: &str) -> Gauge {
    family.get_or_create_owned(&Listening { listener: address.to_owned() })
}
