//! The few calls to a node that stories make: set up, break, mend, and read back every document.

use std::time::Duration;

use reqwest::{Client, ClientBuilder, Method};
use serde_json::{Value, json};

use super::until;

/// Documents a page when an index is read back.
const PAGE: usize = 2_000;

/// How to get into a secured node.
pub(crate) struct Credentials {
    /// The password of `elastic`.
    pub(crate) password: String,
    /// The authority's certificate, PEM.
    pub(crate) authority: Vec<u8>,
}

/// A client of one node.
pub(crate) struct Api {
    /// Where the node listens, as Forebay's `hosts` want it.
    pub(crate) url: String,
    client: Client,
    password: Option<String>,
}

/// A document as the node holds it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Held {
    /// The index that holds it, a data stream's backing index included.
    pub(crate) index: String,
    /// Its id.
    pub(crate) id: String,
    /// The document.
    pub(crate) source: Value,
}

impl Api {
    /// A client for a node without security.
    pub(crate) fn plain(port: u16) -> Self {
        let client = builder().build().expect("a client");
        Self { url: format!("http://127.0.0.1:{port}"), client, password: None }
    }

    /// A client for a node with TLS and a password.
    pub(crate) fn secured(port: u16, credentials: &Credentials) -> Self {
        let authority = reqwest::Certificate::from_pem(&credentials.authority).expect("a certificate");
        let client = builder().add_root_certificate(authority).build().expect("a client");
        Self {
            url: format!("https://localhost:{port}"),
            client,
            password: Some(credentials.password.clone()),
        }
    }

    /// One call. The answer's status and its JSON; an error where there was no answer.
    pub(crate) async fn try_call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(u16, Value), String> {
        let mut request = self.client.request(method, format!("{}/{path}", self.url));
        if let Some(password) = &self.password {
            request = request.basic_auth("elastic", Some(password));
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = request.send().await.map_err(|error| format!("{error:?}"))?;
        let status = answer.status().as_u16();
        let text = answer.text().await.map_err(|error| format!("{error:?}"))?;
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }

    /// One call that must succeed.
    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Value {
        let (status, answer) = self.try_call(method, path, body).await.expect("a node that answers");
        assert!((200..300).contains(&status), "{path}: {status} {answer}");
        answer
    }

    /// Whether the node is up; what it said instead otherwise.
    pub(crate) async fn ready(&self) -> Result<(), String> {
        let health = "_cluster/health?wait_for_status=yellow&timeout=1s";
        match self.try_call(Method::GET, health, None).await? {
            (200, _) => Ok(()),
            (status, answer) => Err(format!("{status} {answer}")),
        }
    }

    /// Puts `body` at `path`: an index, a template, settings.
    pub(crate) async fn put(&self, path: &str, body: Value) {
        self.call(Method::PUT, path, Some(&body)).await;
    }

    /// Forbids writing to `index`, or allows it again.
    pub(crate) async fn block_writes(&self, index: &str, block: bool) {
        self.put(&format!("{index}/_settings"), json!({ "index.blocks.write": block })).await;
    }

    /// Waits until the node itself has forbidden writing to `index`, for want of disk.
    pub(crate) async fn until_blocked(&self, index: &str) {
        let block = "*.settings.index.blocks.read_only_allow_delete";
        until("the node to block an index", async || {
            let settings =
                self.call(Method::GET, &format!("{index}/_settings?filter_path={block}"), None).await;
            if settings.to_string().contains("true") { Ok(()) } else { Err(settings) }
        })
        .await;
    }

    /// Documents in `index`, refreshed; 0 where it is not there.
    pub(crate) async fn count(&self, index: &str) -> Result<u64, String> {
        self.try_call(Method::POST, &format!("{index}/_refresh"), None).await?;
        match self.try_call(Method::GET, &format!("{index}/_count"), None).await? {
            (404, _) => Ok(0),
            (200, answer) => answer["count"].as_u64().ok_or_else(|| answer.to_string()),
            (status, answer) => Err(format!("{status} {answer}")),
        }
    }

    /// Waits until `index` holds `expected` documents, then reads them all, in the order of their sequence.
    ///
    /// More than expected is not waited away: whoever compares the numbers sees what came twice.
    pub(crate) async fn documents(&self, index: &str, expected: usize) -> Vec<Held> {
        until(&format!("{expected} documents in {index}"), || async {
            match self.count(index).await? {
                enough if enough >= expected as u64 => Ok(()),
                few => Err(format!("{few} documents")),
            }
        })
        .await;
        self.read_all(index).await
    }

    /// All documents of `index`, in the order of their sequence.
    pub(crate) async fn read_all(&self, index: &str) -> Vec<Held> {
        let query = json!({ "size": PAGE, "sort": ["_doc"] });
        let mut page = self.call(Method::POST, &format!("{index}/_search?scroll=1m"), Some(&query)).await;
        let mut all = Vec::new();
        while let Some(hits) = page["hits"]["hits"].as_array().filter(|hits| !hits.is_empty()) {
            all.extend(hits.iter().map(held));
            let next = json!({ "scroll": "1m", "scroll_id": page["_scroll_id"] });
            page = self.call(Method::POST, "_search/scroll", Some(&next)).await;
        }
        all.sort_by_key(|document| document.source["event.sequence"].as_u64());
        all
    }
}

/// Without idle connections: a node outlives the runtime of the story that opened one.
fn builder() -> ClientBuilder {
    Client::builder().timeout(Duration::from_secs(30)).pool_max_idle_per_host(0)
}

fn held(hit: &Value) -> Held {
    let text = |key: &str| hit[key].as_str().unwrap_or_default().to_owned();
    Held { index: text("_index"), id: text("_id"), source: hit["_source"].clone() }
}
