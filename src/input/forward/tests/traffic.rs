//! Any traffic, cut anywhere, gives exactly its documents: in msgpack, in every mode, and in JSON.

use proptest::prelude::*;

use super::frames::{MODES, Mode, array, event_time, frames, map, text};
use super::*;

/// Frames: the mode of each, and the sizes of its events.
type Traffic = Vec<(Mode, Vec<usize>)>;

fn traffic() -> impl Strategy<Value = Traffic> {
    let mode = proptest::sample::select(MODES.to_vec());
    proptest::collection::vec((mode, proptest::collection::vec(0..5_000_usize, 0..6)), 1..12)
}

fn tag(number: usize) -> String {
    format!("app.{}", number % 3)
}

fn line(number: usize, size: usize) -> String {
    format!("{number} {}", "é\n\"x]}".repeat(size / 7))
}

/// What the documents of the traffic are.
fn bodies(traffic: &Traffic) -> Vec<Json> {
    let time = "2023-11-14T22:13:20.000000000Z";
    let body = |number, size: &usize| serde_json::json!({"@timestamp": time, "line": line(number, *size), "tag": tag(number)});
    let frames = traffic.iter().enumerate();
    frames.flat_map(|(number, (_, sizes))| sizes.iter().map(move |size| body(number, size))).collect()
}

fn as_msgpack(traffic: &Traffic) -> Vec<u8> {
    let frame = |(number, (mode, sizes)): (usize, &(Mode, Vec<usize>))| {
        let record = |size: &usize| map(&[("line", text(&line(number, *size)))]);
        let entry = |size: &usize| array(&[event_time(1_700_000_000, 0), record(size)]);
        frames(*mode, &tag(number), &sizes.iter().map(entry).collect::<Vec<_>>(), &[])
    };
    traffic.iter().enumerate().flat_map(frame).collect()
}

/// In Message or in Forward mode, with or without white space between.
fn as_json(traffic: &Traffic) -> Vec<u8> {
    let mut out = String::from("[\"app.0\",[]]");
    for (number, (mode, sizes)) in traffic.iter().enumerate() {
        let entry = |size: &usize| serde_json::json!([1_700_000_000, {"line": line(number, *size)}]);
        let entries: Vec<Json> = sizes.iter().map(entry).collect();
        match mode {
            Mode::Message => {
                let message = |one: &Json| serde_json::json!([tag(number), one[0], one[1]]);
                out.extend(entries.iter().map(|one| format!("{:#}\r\n ", message(one))));
            }
            _ => out.push_str(&serde_json::json!([tag(number), entries, {"size": sizes.len()}]).to_string()),
        }
    }
    out.into_bytes()
}

async fn sent_in_pieces(bytes: &[u8], cuts: &[usize]) -> Vec<Document> {
    let rig = Rig::new();
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    let mut peer = rig.connect();
    for piece in cuts.windows(2) {
        peer.send(&bytes[piece[0]..piece[1]]).await;
        tokio::task::yield_now().await;
    }
    assert!(matches!(peer.close().await, Ended::ByPeer));
    rig.documents().await
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn any_traffic_cut_anywhere_gives_exactly_its_documents(
        traffic in traffic(),
        cuts in proptest::collection::vec(any::<usize>(), 0..40),
        json: bool,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let bytes = if json { as_json(&traffic) } else { as_msgpack(&traffic) };
        let documents = runtime.block_on(sent_in_pieces(&bytes, &cuts));
        let found: Vec<Json> = documents.iter().map(|document| document.body.clone()).collect();
        prop_assert_eq!(found, bodies(&traffic));
        let ids: std::collections::HashSet<_> = documents.iter().map(|document| document.id.to_string()).collect();
        prop_assert_eq!(ids.len(), documents.len());
    }
}
