//! The plain server log of Elasticsearch and OpenSearch: `[TIME][LEVEL][LOGGER] [NODE] MESSAGE`.
//!
//! Level and logger are padded. The slow and the deprecation log have this layout too, with an index and a shard, or a
//! client's id, at the beginning of the message, where it stays. How grave a deprecation is says `CRITICAL`, a level of
//! its own.
//! <https://www.elastic.co/docs/deploy-manage/monitor/logging-configuration/elasticsearch-log4j-configuration-self-managed>

use crate::parse::known::{self, Known};
use crate::parse::level::Level;
use crate::parse::sink::Sink;
use crate::parse::time::forms;

const NODE: Known = Known::new("node", "elasticsearch.node.name");

pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (rest, said) = forms::iso(line.strip_prefix('[')?).ok()?;
    let (level, rest) = rest.strip_prefix("][")?.split_once("][")?;
    let (logger, rest) = rest.split_once("] [")?;
    let (node, message) = rest.split_once(']')?;
    let level = level.trim_end_matches(' ');
    if level.is_empty() || !level.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    sink.said(said)?;
    match level {
        // What will break with the next version is no failure of this one.
        "CRITICAL" | "DEPRECATION" => sink.leveled(Some(Level::Warn), level),
        _ => sink.level(level),
    }
    sink.text(known::LOGGER, logger.trim_end_matches(' '));
    sink.text(NODE, node);
    sink.message(message.strip_prefix(' ').unwrap_or(message));
    Some(())
}
