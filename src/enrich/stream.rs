//! Which stream a line came over: a container's stdout or its stderr, where the record says so, and else its tag.

use xxhash_rust::xxh3::xxh3_64;

use crate::event::Fields;

/// A hash of the stream.
pub(super) fn of(tag: &str, fields: &Fields<'_>) -> u64 {
    let part = |name| fields.text(name).map_or(0, xxh3_64);
    xxh3_64(tag.as_bytes())
        ^ part("container_id").rotate_left(1)
        ^ (part("source") ^ part("stream")).rotate_left(2)
}
