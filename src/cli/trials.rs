//! What `check` finds when it runs the tests that pipelines have. Each runs on pipelines of its own, so that what one leaves
//! in a `throttle` or a `dedupe` is nothing to the next.

use serde_json::Value;

use super::findings::Finding;
use super::words::count;
use crate::config::Config;
use crate::daemon;
use crate::enrich::walk::{Given, Walk, Walked, line_record};
use crate::enrich::{PipelineError, Pipelines, TestOptions};
use crate::event::Timestamp;

/// A finding for each test that fails, and one for the others of a pipeline.
pub(super) fn tests(config: &Config) -> Vec<Finding> {
    let mut found = Vec::new();
    for (pipeline, options) in config.pipelines.iter().enumerate() {
        let mut passed = 0;
        for (number, test) in options.tests.iter().enumerate() {
            match run(config, pipeline, test) {
                Ok(()) => passed += 1,
                Err(why) => found.push(failed(format!("pipeline[{pipeline}].test[{number}]"), test, &why)),
            }
        }
        if passed > 0 {
            let (about, text) =
                (format!("pipeline[{pipeline}].test"), format!("{} passed", count(passed, "test")));
            found.push(Finding { ok: true, about, text });
        }
    }
    found
}

fn failed(about: String, test: &TestOptions, why: &str) -> Finding {
    let place = &test.place.0;
    let text = if place.is_empty() { why.to_owned() } else { format!("{place}: {why}") };
    Finding { ok: false, about, text }
}

/// Runs `test` of the pipeline at the place `pipeline`, or tells why it fails.
fn run(config: &Config, pipeline: usize, test: &TestOptions) -> Result<(), String> {
    let pipelines = daemon::compile(config).map_err(|error: PipelineError| error.to_string())?;
    let tag = tag(&pipelines, config.pipelines.len(), pipeline, test)?;
    let mut walk = Walk::new(pipelines, config.partial.clone(), config.multiline.clone());
    let walked = take(&mut walk, test, &tag)?;
    let differences = test.differences(&walked);
    if differences.is_empty() {
        return Ok(());
    }
    let told: Vec<_> = differences.iter().map(ToString::to_string).collect();
    Err(format!("is not as expected (-) but otherwise (+)\n{}", told.join("\n")))
}

/// A tag that leads to the pipeline; `defaults` is the place of the last one.
fn tag(
    pipelines: &Pipelines,
    defaults: usize,
    pipeline: usize,
    test: &TestOptions,
) -> Result<String, String> {
    let example = || pipelines.example_tag(pipeline).unwrap_or_default();
    let tag = test.tag.clone().unwrap_or_else(example);
    let taker = match pipelines.number(&tag) {
        taken if taken == pipeline => return Ok(tag),
        taken if taken == defaults => "the defaults take it".to_owned(),
        taken => format!("pipeline[{taken}] takes it"),
    };
    Err(format!("the tag `{tag}` does not come here, {taker}; set another as `tag`"))
}

/// The events that the test's input makes.
fn take(walk: &mut Walk, test: &TestOptions, tag: &str) -> Result<Vec<Walked>, String> {
    let records = match &test.input {
        Some(Value::String(lines)) => lines.lines().map(|line| line_record(line.as_bytes(), None)).collect(),
        Some(record) => vec![rmp_serde::to_vec(record).map_err(|error| error.to_string())?],
        None => Vec::new(),
    };
    let mut walked = Vec::new();
    for record in &records {
        let given = Given { tag, time: Timestamp::now(), id: None, record };
        walked.extend(walk.take(&given).map_err(|error| error.to_string())?);
    }
    walked.extend(walk.finish());
    Ok(walked)
}
