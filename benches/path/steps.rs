//! Each step as `docs/pipelines.md` shows it, over a record with fields of the names that the page has: whoever adds a step
//! there has its bench, and one that is not there is told. `none` is the same way without any step.

use std::path::Path;

use criterion::{Criterion, Throughput};
use forebay::config;
use forebay::enrich::PipelineOptions;
use forebay::enrich::steps::StepOptions;
use forebay::parse::Parse;
use rmp::encode::{write_array_len, write_ext_meta};
use rmpv::Value;
use rmpv::encode::write_value;

use super::{EVENTS, encode};

pub(crate) fn bench(c: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut group = c.benchmark_group("steps");
    for (name, step) in std::iter::once(("none".to_owned(), String::new())).chain(shown()) {
        let options = options(&step, folder.path());
        let (entries, bytes) = packed(&name);
        group.throughput(Throughput::Bytes(bytes));
        group.bench_function(name, |b| encode::bench(b, &options, &entries));
    }
    group.finish();
}

/// The key of each step and the step in TOML, as the page has them.
fn shown() -> Vec<(String, String)> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/pipelines.md");
    let page = std::fs::read_to_string(page).expect("the page");
    let keys = keys();
    let examples = page.lines().filter_map(|line| line.strip_prefix("| `")).flat_map(|line| {
        let (cell, _) = line.split_once(" | ").unwrap_or((line, ""));
        cell.split('`').filter(|code| code.contains(" = ")).map(str::to_owned).collect::<Vec<_>>()
    });
    let mut shown: Vec<(String, String)> = examples
        .filter_map(|code| {
            let name = keys.iter().find(|key| code.starts_with(&format!("{key} = ")))?;
            Some((name.clone(), code.replace("\\|", "|")))
        })
        .collect();
    // A table of its own on the page.
    shown.push(("redact".to_owned(), "redact = {}".to_owned()));
    for key in &keys {
        assert!(shown.iter().any(|(name, _)| name == key), "docs/pipelines.md shows no `{key} = …`");
    }
    shown
}

/// The keys of a step, but for its condition.
fn keys() -> Vec<String> {
    let all = format!("{:?}", StepOptions::default());
    let inside = all.split_once('{').expect("fields").1.trim_end_matches(['}', ' ']);
    let names = inside.split(',').filter_map(|field| field.split_once(':')).map(|(name, _)| name.trim());
    names.filter(|name| *name != "when").map(str::to_owned).collect()
}

fn options(step: &str, folder: &Path) -> PipelineOptions {
    let table = folder.join("users.csv");
    std::fs::write(&table, "id,name,team\nuser-7,Eva,search\nuser-8,Ada,search\n").expect("a table");
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/geoip/cities.mmdb");
    let step = step.replace("GeoLite2-City.mmdb", fixture);
    // The bench's tag is no file's name, as which the example takes it.
    let step = step
        .replace("users.csv", &table.display().to_string())
        .replace("kubernetes = \"{tag}\"", "kubernetes = \"{file}\"");
    let text = format!("[[pipeline]]\nparse = \"none\"\n[[pipeline.step]]\n{step}\n");
    let text = if step.is_empty() { text.replace("[[pipeline.step]]", "") } else { text };
    let mut config = config::read(&text, "docs/pipelines.md").unwrap_or_else(|faults| panic!("{faults}"));
    let options = config.pipelines.remove(0);
    assert_eq!((options.parse == Parse::None, options.steps.len()), (true, usize::from(!step.is_empty())));
    options
}

/// Entries of one frame, and the bytes of their records.
fn packed(step: &str) -> (Vec<u8>, u64) {
    let (mut entries, mut bytes) = (Vec::new(), 0);
    for nth in 0..EVENTS {
        write_array_len(&mut entries, 2).expect("a vector takes it");
        write_ext_meta(&mut entries, 8, 0).expect("a vector takes it");
        entries.extend_from_slice(&1_777_885_951_u32.to_be_bytes());
        entries.extend_from_slice(&nth.to_be_bytes());
        let before = entries.len();
        write_value(&mut entries, &record(nth, step)).expect("a vector takes it");
        bytes += (entries.len() - before) as u64;
    }
    (entries, bytes)
}

/// One of the browsers that most people have.
const AGENT: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36";

/// Fields that the page's examples name, so that each step has what it is for.
fn record(nth: u32, step: &str) -> Value {
    let text = |text: String| Value::from(text);
    let names = |names: &[&str]| Value::Array(names.iter().map(|name| Value::from(*name)).collect());
    let tags = if step == "join" { names(&["a", "b", "c"]) } else { text("a, b, c".into()) };
    let labels = [("app", "shop"), ("team", "search")].map(|(name, value)| (name.into(), value.into()));
    let members = [
        ("message", text(format!("order {nth} was stored and is sent to the warehouse of its region today"))),
        ("level", text("INFO".into())),
        ("container_name", text(format!("/shop-{}", nth % 9))),
        ("container_id", text("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822c".into())),
        ("user", text(format!("user-{}", nth % 90))),
        ("user_id", text(format!("user-{}", nth % 9))),
        ("trace_id", text(format!("{nth:032x}"))),
        ("path", text(format!("/shop/items/{nth}/pictures/7"))),
        ("took", text(format!("{}.5ms", nth % 90))),
        ("status", Value::from(200)),
        ("http_method", text("GET".into())),
        ("http_url", text(format!("/shop/items/{nth}"))),
        ("client", text("203.0.113.7".into())),
        ("user_agent", text(AGENT.into())),
        ("old", text(" a value with blanks ".into())),
        ("from", text("another value".into())),
        ("a", text("  Some Text  ".into())),
        ("labels", Value::Map(labels.to_vec())),
        ("tags", tags),
        ("file", text("/var/log/containers/shop-7d4b9c6f5-x2x1z_prod_shop-0123456789abcdef.log".into())),
    ];
    Value::Map(members.map(|(name, value)| (name.into(), value)).to_vec())
}
