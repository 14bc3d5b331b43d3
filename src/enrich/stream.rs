//! Which stream a line came over: a container's stdout or its stderr, where the record says so, and else its tag.

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::event::Fields;

/// A hash of the stream.
pub(super) fn of(tag: &str, fields: &Fields<'_>) -> u64 {
    let part = |name| fields.text(name).map_or(0, xxh3_64);
    xxh3_64(tag.as_bytes())
        ^ part("container_id").rotate_left(1)
        ^ (part("source") ^ part("stream")).rotate_left(2)
}

/// Streams where lines must not be mixed: those of two files that one tag gathers are two, too.
#[derive(Debug, Default)]
pub(super) struct Streams {
    /// Fields that have the path of the file that a line stood in; none where no files are followed.
    paths: Vec<String>,
}

impl Streams {
    /// Those of files whose paths are in these fields.
    pub(super) fn of_files(mut paths: Vec<String>) -> Self {
        paths.sort();
        paths.dedup();
        Self { paths }
    }

    /// A hash of the stream.
    pub(super) fn of(&self, tag: &str, fields: &Fields<'_>) -> u64 {
        let add = |hash, path: &String| match fields.text(path) {
            Some(path) => xxh3_64_with_seed(path, hash),
            None => hash,
        };
        self.paths.iter().fold(of(tag, fields), add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Value;

    #[test]
    fn lines_of_two_files_with_one_tag_are_two_streams_where_files_are_followed() {
        let of = |streams: &Streams, path: Option<&'static [u8]>| {
            let mut fields = Fields::default();
            path.into_iter().for_each(|path| fields.push("log.file.path".into(), Value::Text(path)));
            streams.of("app", &fields)
        };
        let (none, files) = (Streams::default(), Streams::of_files(vec!["log.file.path".into()]));
        assert_ne!(of(&files, Some(b"/a")), of(&files, Some(b"/b")));
        assert_eq!(of(&none, Some(b"/a")), of(&none, Some(b"/b")));
        assert_eq!(of(&none, None), of(&files, None));
    }
}
