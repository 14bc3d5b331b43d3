//! What `check` asks of the target. Nothing is written there.

use std::time::Duration;

use serde::Deserialize;

use super::answer;
use super::client::{Body, Method};
use super::nodes::Node;
use super::pattern::Naming;
use super::target::Target;
use super::template::{self, Standing};
use super::verdict::{self, Obstacle, Whole};
use crate::output::{ElasticsearchOptions, Finding};

const TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Default, Deserialize)]
struct Banner {
    #[serde(default)]
    cluster_name: String,
    #[serde(default)]
    version: Version,
}

#[derive(Default, Deserialize)]
struct Version {
    #[serde(default)]
    number: String,
    distribution: Option<String>,
}

/// Reaches every node, then asks about each index.
pub(super) async fn probe(
    target: &Target,
    options: &ElasticsearchOptions,
    indices: &[String],
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for node in target.nodes.all() {
        findings.push(reach(&node).await);
    }
    if findings.iter().any(|finding| finding.ok) {
        for about in std::iter::once(&options.index).chain(indices) {
            findings.push(index(target, options, about).await);
        }
    }
    findings
}

/// Sends a bulk request of nothing: a bulk endpoint that lets us in calls it empty.
async fn reach(node: &Node) -> Finding {
    let body = Body { content_type: "application/x-ndjson", ..Body::json("\n") };
    let reply = match node.client.send(Method::Post, answer::PATH, Some(body), TIMEOUT).await {
        Ok(reply) => reply,
        Err(fault) => return Finding::bad(node.url.as_str(), fault.to_string()),
    };
    let error = answer::failure(&reply.body);
    match verdict::of_request(reply.status, &error) {
        Whole::Malformed | Whole::ByItem => Finding::good(node.url.as_str(), banner(node).await),
        Whole::Hold(obstacle) => Finding::bad(node.url.as_str(), says(reply.status, obstacle, &error.kind)),
        _ => Finding::bad(
            node.url.as_str(),
            format!("answers {} {} to a bulk request", reply.status, error.kind),
        ),
    }
}

fn says(status: u16, obstacle: Obstacle, kind: &str) -> String {
    let space = if kind.is_empty() { "" } else { " " };
    format!("answers {status}{space}{kind} to a bulk request: {}", obstacle.advice())
}

/// Name and version where the node tells them; not every one does, and none needs to.
async fn banner(node: &Node) -> String {
    let reply = node.client.send(Method::Get, "", None, TIMEOUT).await.ok();
    let banner: Banner = reply
        .filter(|reply| reply.status == 200)
        .and_then(|reply| serde_json::from_slice(&reply.body).ok())
        .unwrap_or_default();
    if banner.version.number.is_empty() {
        return "takes bulk requests; it does not tell its version, which does not matter".into();
    }
    let product = banner.version.distribution.as_deref().unwrap_or("elasticsearch");
    format!("takes bulk requests: {product} {}, cluster `{}`", banner.version.number, banner.cluster_name)
}

async fn index(target: &Target, options: &ElasticsearchOptions, about: &str) -> Finding {
    let Some(naming) = Naming::of(about) else {
        return Finding::good(
            about,
            "begins with a placeholder: no index template is looked for or installed",
        );
    };
    let sample = &naming.sample;
    let kind = |data_stream| if data_stream { "a data stream" } else { "a plain index" };
    match template::standing(target, &naming).await {
        Ok(Standing::Matches) => {
            let data_stream = template::is_data_stream(target, &naming).await.unwrap_or(false);
            Finding::good(
                about,
                format!("a template matches `{sample}`, which becomes {}", kind(data_stream)),
            )
        }
        Ok(Standing::Missing) if options.install_template => Finding::good(
            about,
            format!(
                "no template matches `{sample}`: `{}` will be installed, which makes it {}",
                naming.template,
                kind(naming.data_stream)
            ),
        ),
        Ok(Standing::Missing) => Finding::good(
            about,
            format!(
                "no template matches `{sample}` and install_template is off: it becomes a plain index with guessed types"
            ),
        ),
        Err(fault) => Finding::bad(about, fault.to_string()),
    }
}
