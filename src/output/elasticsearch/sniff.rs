//! Asks the cluster for its nodes, where the configuration wants that.
//!
//! Whatever the answer, the configured nodes stay, and what cannot be read is passed over: a cluster behind a proxy
//! publishes addresses that lead nowhere, which is why nobody is asked by default.

use std::collections::HashMap;
use std::time::Duration;

use serde::Deserialize;
use url::Url;

use super::access::Access;
use super::client::{Client, Method};
use super::nodes::Node;
use super::target::Target;

/// How often the cluster is asked.
pub(super) const EVERY: Duration = Duration::from_secs(300);

const PATH: &str = "_nodes/http?filter_path=nodes.*.roles,nodes.*.http.publish_address";
const TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Default, Deserialize)]
struct Answer {
    #[serde(default)]
    nodes: HashMap<String, Listed>,
}

#[derive(Deserialize)]
struct Listed {
    #[serde(default)]
    roles: Vec<String>,
    http: Option<Published>,
}

#[derive(Deserialize)]
struct Published {
    publish_address: Option<String>,
}

/// Asks once and takes up what is found. `seeds` are the configured nodes.
pub(super) async fn sniff(target: &Target, access: &Access, seeds: &[Url]) {
    let https = seeds.iter().any(|url| url.scheme() == "https");
    let reply = match target.ask(Method::Get, PATH, None, TIMEOUT).await {
        Ok(reply) if reply.status == 200 => reply,
        Ok(reply) => return tracing::warn!(status = reply.status, "the cluster does not tell its nodes"),
        Err(fault) => return tracing::warn!(%fault, "cannot ask the cluster for its nodes"),
    };
    let found: Vec<Node> = urls(&reply.body, https).into_iter().filter_map(|url| node(url, access)).collect();
    if found.is_empty() {
        return tracing::warn!("the cluster names no node that takes documents");
    }
    target.nodes.replace(found, seeds);
}

fn node(url: Url, access: &Access) -> Option<Node> {
    match Client::new(&url, access) {
        Ok(client) => Some(Node { url, client }),
        Err(fault) => {
            tracing::warn!(%fault, "passing over a node that the cluster names");
            None
        }
    }
}

/// The nodes that take documents: all but those that are masters only.
fn urls(body: &[u8], https: bool) -> Vec<Url> {
    let answer: Answer = serde_json::from_slice(body).unwrap_or_default();
    let takes_documents = |node: &Listed| !matches!(node.roles.as_slice(), [role] if role == "master");
    let nodes = answer.nodes.into_values().filter(takes_documents);
    let mut urls: Vec<Url> = nodes
        .filter_map(|node| url(&node.http?.publish_address?, if https { "https" } else { "http" }))
        .collect();
    urls.sort_unstable();
    urls
}

/// `ADDRESS:PORT` or `NAME/ADDRESS:PORT`, of which the name is what certificates carry.
fn url(published: &str, scheme: &str) -> Option<Url> {
    let authority = match published.split_once('/') {
        None => published.to_owned(),
        Some((name, address)) => format!("{name}:{}", address.rsplit_once(':')?.1),
    };
    let url = Url::parse(&format!("{scheme}://{authority}/")).ok()?;
    (url.host().is_some() && url.username().is_empty() && url.path() == "/").then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_read_in_every_form_and_what_is_odd_is_passed_over() {
        let body = br#"{"nodes":{
            "a":{"roles":["data","ingest"],"http":{"publish_address":"10.0.0.1:9200"}},
            "b":{"roles":["master"],"http":{"publish_address":"10.0.0.2:9200"}},
            "c":{"http":{"publish_address":"es-3.internal/10.0.0.3:9201"}},
            "d":{"http":{"publish_address":"[::1]:9200"}},
            "e":{"http":{}}, "f":{}, "g":{"http":{"publish_address":"not an address"}}}}"#;
        let urls: Vec<String> = urls(body, true).into_iter().map(Into::into).collect();
        assert_eq!(urls, ["https://10.0.0.1:9200/", "https://[::1]:9200/", "https://es-3.internal:9201/"]);
    }

    #[test]
    fn an_answer_that_is_none_names_no_node() {
        for body in [&b""[..], b"[]", b"{\"nodes\":7}", b"<html>"] {
            assert!(urls(body, false).is_empty());
        }
    }
}
