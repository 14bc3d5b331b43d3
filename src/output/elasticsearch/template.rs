//! Sees to it that an index template matches the indices that documents go to, so that Kibana finds a data view.
//!
//! The target is asked which template a would-be index would take; only where none matches — of the present kind or the
//! old — is ours installed. Its priority is below those of Elastic's own (100), so that those, and anybody's, win.
//!
//! `@timestamp` is `date_nanos`: events carry nanoseconds, and lines of the same millisecond keep their order. Its range
//! is 1970 to 2262; every version that has index templates knows it. What not every version knows is tried first
//! and left out where a refusal names it: `ignore_dynamic_beyond_limit`, `match_only_text`, `data_stream` (which
//! distributions without Elastic's own modules lack).

use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::answer;
use super::client::{Method, Reply};
use super::fault::Fault;
use super::pattern::{self, Naming};
use super::target::Target;

pub(super) const TEMPLATE: &str = include_str!("template.json");

/// One question, one answer.
const TIMEOUT: Duration = Duration::from_secs(3);

/// How it stands with the template.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// One matches.
    Matches,
    /// None does.
    Missing,
}

/// Why nothing can be said or done.
#[derive(Debug, thiserror::Error)]
pub(super) enum TemplateError {
    #[error(transparent)]
    Fault(#[from] Fault),
    #[error("the target answers {status} {error} to {what}; {advice}")]
    Refused { what: &'static str, status: u16, error: String, advice: &'static str },
    #[error("the template cannot be written: {0}")]
    Json(#[from] serde_json::Error),
}

#[derive(Deserialize)]
struct Simulated {
    template: Option<IgnoredAny>,
}

/// Asks what a new index of the sample's name would take.
pub(super) async fn standing(target: &Target, naming: &Naming) -> Result<Standing, TemplateError> {
    let path = format!("_index_template/_simulate_index/{}", naming.sample);
    let reply = target.ask(Method::Post, &path, None, TIMEOUT).await?;
    if reply.status != 200 {
        return Err(refused("simulating an index", &reply));
    }
    let simulated: Simulated = serde_json::from_slice(&reply.body)?;
    let matches = simulated.template.is_some() || old_matches(target, naming).await?;
    Ok(if matches { Standing::Matches } else { Standing::Missing })
}

/// Whether a template of the old kind matches: ours would push it aside, whatever the priority.
async fn old_matches(target: &Target, naming: &Naming) -> Result<bool, TemplateError> {
    let reply = target.ask(Method::Get, "_template?filter_path=*.index_patterns", None, TIMEOUT).await?;
    if reply.status != 200 {
        return Ok(false);
    }
    let templates: Value = serde_json::from_slice(&reply.body)?;
    let lists = templates
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(_, template)| template.get("index_patterns"));
    let mut patterns = lists.filter_map(Value::as_array).flatten().filter_map(Value::as_str);
    // why not "*": such a template gives settings to every index, and no mappings worth keeping ours away for.
    Ok(patterns.any(|pattern| pattern != "*" && pattern::matches(pattern, &naming.sample)))
}

/// What a version may not know, and how to do without.
type Simplification = (&'static str, fn(&mut Value));

const SIMPLIFICATIONS: [Simplification; 3] = [
    ("ignore_dynamic_beyond_limit", drop_beyond_limit),
    ("match_only_text", drop_match_only_text),
    ("data_stream", drop_data_stream),
];

/// Installs the template, as much of it as this version knows.
pub(super) async fn install(target: &Target, naming: &Naming) -> Result<(), TemplateError> {
    let path = format!("_index_template/{}", naming.template);
    let mut body = body(naming, target.healer.is_on())?;
    let mut left = SIMPLIFICATIONS.to_vec();
    loop {
        let reply = target.ask(Method::Put, &path, Some(serde_json::to_vec(&body)?.into()), TIMEOUT).await?;
        let names = |word: &str| memchr::memmem::find(&reply.body, word.as_bytes()).is_some();
        match reply.status {
            200..=299 => return Ok(()),
            400 => match left.iter().position(|(word, _)| names(word)) {
                Some(at) => left.remove(at).1(&mut body),
                None => return Err(refused("installing an index template", &reply)),
            },
            _ => return Err(refused("installing an index template", &reply)),
        }
    }
}

/// Whether documents of the sample's name go to a data stream, by the template that wins; nothing where that is not told.
pub(super) async fn is_data_stream(target: &Target, naming: &Naming) -> Option<bool> {
    let reply = target.ask(Method::Get, "_index_template", None, TIMEOUT).await.ok()?;
    let templates: Templates = serde_json::from_slice(&reply.body).ok()?;
    let fits =
        |template: &Template| template.index_patterns.iter().any(|p| pattern::matches(p, &naming.sample));
    let templates = templates.index_templates.into_iter().map(|named| named.index_template);
    templates
        .filter(fits)
        .max_by_key(|template| template.priority)
        .map(|template| template.data_stream.is_some())
}

#[derive(Deserialize)]
struct Templates {
    index_templates: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    index_template: Template,
}

#[derive(Deserialize)]
struct Template {
    index_patterns: Vec<String>,
    #[serde(default)]
    priority: u64,
    data_stream: Option<IgnoredAny>,
}

fn body(naming: &Naming, heal: bool) -> Result<Value, serde_json::Error> {
    let mut body: Value = serde_json::from_str(TEMPLATE)?;
    if let Some(fields) = body.as_object_mut() {
        fields.insert("index_patterns".into(), json!([naming.pattern]));
        fields.insert("priority".into(), json!(naming.priority));
        if naming.data_stream {
            fields.insert("data_stream".into(), json!({}));
        }
    }
    if heal {
        add_healing(&mut body);
    }
    Ok(body)
}

/// What healing adds to a document has its place from the start: where an index has reached its limit of fields, no
/// new one would be taken.
fn add_healing(body: &mut Value) {
    if let Some(properties) = body.pointer_mut("/template/mappings/properties").and_then(Value::as_object_mut)
    {
        properties.insert("forebay.overflow".into(), json!({ "type": "text" }));
        properties.insert("forebay.healed".into(), json!({ "type": "keyword", "ignore_above": 1024 }));
    }
}

fn drop_beyond_limit(body: &mut Value) {
    if let Some(settings) = body.pointer_mut("/template/settings").and_then(Value::as_object_mut) {
        settings.remove("index.mapping.total_fields.ignore_dynamic_beyond_limit");
    }
}

fn drop_match_only_text(body: &mut Value) {
    if let Some(kind) = body.pointer_mut("/template/mappings/properties/message/type") {
        *kind = json!("text");
    }
}

fn drop_data_stream(body: &mut Value) {
    if let Some(fields) = body.as_object_mut() {
        fields.remove("data_stream");
    }
}

fn refused(what: &'static str, reply: &Reply) -> TemplateError {
    let error = answer::failure(&reply.body);
    let advice = match reply.status {
        401 => "see the credentials",
        403 => {
            "grant manage_index_templates, or set elasticsearch.install_template = false and see to a template yourself"
        }
        404 | 405 => {
            "it is too old for index templates of this kind: set elasticsearch.install_template = false"
        }
        _ => "elasticsearch.install_template = false leaves templates alone",
    };
    TemplateError::Refused { what, status: reply.status, error: error.text(), advice }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_carries_the_patterns_and_can_be_made_simpler() {
        let naming = Naming::of("logs-{tag}-default").expect("names");
        let mut body = body(&naming, false).expect("the template is JSON");
        assert_eq!(body["index_patterns"], json!(["logs-*-default"]));
        assert_eq!(body["data_stream"], json!({}));
        assert_eq!(body["priority"], json!(naming.priority));
        drop_beyond_limit(&mut body);
        drop_match_only_text(&mut body);
        drop_data_stream(&mut body);
        let text = body.to_string();
        assert!(SIMPLIFICATIONS.iter().all(|(word, _)| !text.contains(word)), "{text}");
    }
}
