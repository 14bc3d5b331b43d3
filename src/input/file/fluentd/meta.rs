//! What `buf_file` keeps beside a chunk: two bytes, four of a length, and a map in msgpack; the map alone before Fluentd 1.15.

use std::path::Path;

use super::super::sidecar;
use crate::decode::map_members;
use crate::event::Value;

const HEADER: &[u8] = b"\xc1\x00";

/// Bytes before the map.
const BEFORE: usize = 6;

/// As much of it as is of use here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Meta {
    /// The chunk's id; empty where it says none.
    pub(crate) id: Vec<u8>,
    /// The tag of its events, where the output keeps chunks apart by it.
    pub(crate) tag: Option<String>,
}

impl Meta {
    /// That of the chunk at `path`; nothing where there is none that can be read.
    pub(crate) fn beside(path: &Path) -> Option<Self> {
        let mut name = path.as_os_str().to_owned();
        name.push(".meta");
        Self::read(&sidecar::read(Path::new(&name))?)
    }

    /// Reads it.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let map = if bytes.starts_with(HEADER) { bytes.get(BEFORE..)? } else { bytes };
        let mut meta = Self::default();
        let is_whole = map_members(map, 1, |name, value| match (&*name, value) {
            ("id", Value::Text(id) | Value::Binary(id)) => meta.id = id.to_vec(),
            ("tag", Value::Text(tag) | Value::Binary(tag)) => {
                meta.tag = Some(String::from_utf8_lossy(tag).into_owned());
            }
            _ => (),
        });
        is_whole.then_some(meta)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map() -> Vec<u8> {
        let mut map = b"\x84\xa7timekey\xc0\xa3tag\xa7app.web\xa2id\xb0".to_vec();
        map.extend_from_slice(&[7; 16]);
        map.extend_from_slice(b"\xa1s\x03");
        map
    }

    #[test]
    fn both_ways_of_writing_it_are_read() {
        let map = map();
        let expected = Meta { id: vec![7; 16], tag: Some("app.web".into()) };
        assert_eq!(Meta::read(&map), Some(expected.clone()));
        let length = u32::try_from(map.len()).expect("short").to_be_bytes();
        assert_eq!(Meta::read(&[HEADER, &length, &map].concat()), Some(expected));
    }

    #[test]
    fn one_that_is_torn_says_nothing() {
        let map = map();
        assert_eq!(Meta::read(&map[..map.len() - 1]), None);
        assert_eq!(Meta::read(b""), None);
        assert_eq!(Meta::read(HEADER), None);
    }
}
