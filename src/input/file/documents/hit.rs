//! A hit, as export tools write them: `{"_index":…,"_id":…,"_source":{…}}`.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::name;

/// See the module.
#[derive(Deserialize)]
pub(super) struct Hit<'l> {
    #[serde(borrow, default, rename = "_index", deserialize_with = "name::read")]
    pub(super) index: Cow<'l, str>,
    #[serde(borrow, default, rename = "_id", deserialize_with = "name::read")]
    pub(super) id: Cow<'l, str>,
    #[serde(borrow, rename = "_source")]
    pub(super) source: &'l RawValue,
}

impl<'l> Hit<'l> {
    /// Nothing where the line is none.
    pub(super) fn read(line: &'l [u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }
}

/// Where documents of `index` can be created: an index of a data stream takes none by itself, the stream does.
pub(super) fn stream_of(index: &str) -> &str {
    let stream = || {
        let (rest, generation) = index.strip_prefix(".ds-")?.rsplit_once('-')?;
        let is_generation = generation.len() >= 6 && generation.bytes().all(|byte| byte.is_ascii_digit());
        let dated = rest.rsplit_once('-').filter(|(_, date)| is_date(date)).map(|(stream, _)| stream);
        Some(dated.unwrap_or(rest)).filter(|stream| is_generation && !stream.is_empty())
    };
    stream().unwrap_or(index)
}

/// `2026.05.04`
fn is_date(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'.',
            _ => byte.is_ascii_digit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_of_a_data_stream_is_restored_to_the_stream() {
        for (index, expected) in [
            (".ds-logs-app-default-2026.05.04-000001", "logs-app-default"),
            (".ds-logs-app-default-000012", "logs-app-default"),
            (".ds-logs", ".ds-logs"),
            (".ds--000001", ".ds--000001"),
            ("logs-app-default", "logs-app-default"),
            (".kibana_8.1.0-000001", ".kibana_8.1.0-000001"),
        ] {
            assert_eq!(stream_of(index), expected, "{index}");
        }
    }
}
