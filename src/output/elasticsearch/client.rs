//! The one door to the `elasticsearch` crate: a client for one node, requests as ready bytes, faults in plain words.
//!
//! Each node has a client of its own, so that which node a request goes to is ours to choose: the crate's pool knows no
//! health. Nothing is asked for at the start, no version is required, and the body's type is what we say it is, so
//! the same requests serve Elasticsearch 7 to 9 and OpenSearch.
//!
//! The crate collects an answer whole. One whose announced length is above [`ANSWER_BYTES`] is refused unread; one of
//! unannounced length is bounded by the time-out only. And it follows redirects, with no word to say that it shall not:
//! what has answered from elsewhere is no node that an operator has named, and its answer is refused.
#![expect(clippy::disallowed_types, reason = "the one door to the client")]

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use elasticsearch::Elasticsearch;
use elasticsearch::auth::{ClientCertificate, Credentials};
use elasticsearch::cert::{Certificate, CertificateValidation};
use elasticsearch::http::headers::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER,
};
use elasticsearch::http::transport::{SingleNodeConnectionPool, TransportBuilder};
use url::{Host, Url};

pub(super) use elasticsearch::http::Method;

use super::access::Access;
use super::fault::{Fault, Kind};
use super::relay::Relay;
use crate::output::{Compression, OutputError};

/// The most that an answer may announce: a hundred bytes and a long reason for each of the most documents in a request.
const ANSWER_BYTES: u64 = 256 << 20;

/// A request's body.
pub(super) struct Body {
    pub(super) bytes: Bytes,
    pub(super) content_type: &'static str,
    pub(super) encoding: Compression,
}

impl Body {
    pub(super) fn json(bytes: impl Into<Bytes>) -> Self {
        Self { bytes: bytes.into(), content_type: "application/json", encoding: Compression::None }
    }
}

/// An answer, whatever its status.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Bytes,
    /// How long the node wants to be left alone, where it says so in seconds.
    pub(super) retry_after: Option<Duration>,
}

/// A client for one node.
pub(super) struct Client {
    inner: Elasticsearch,
    /// Where requests go, with a slash at its end.
    base: Url,
    /// Lives as long as the client, which sends through it.
    _relay: Option<Relay>,
}

impl Client {
    /// `url` carries no credentials. Needs a running reactor where `server_name` is set.
    pub(super) fn new(url: &Url, access: &Access) -> Result<Self, OutputError> {
        let wrong = |why: String| OutputError::Client { url: url.to_string(), why };
        let (reached, relay) = match &access.server_name {
            Some(name) if url.scheme() == "https" => named(url, name).map_err(wrong)?,
            _ => (url.clone(), None),
        };
        let base = with_slash(reached.clone());
        let mut builder = TransportBuilder::new(SingleNodeConnectionPool::new(reached));
        builder = match &relay {
            Some(relay) => {
                let through = Url::parse(&format!("http://{}", relay.address()));
                builder.proxy(through.map_err(|fault| wrong(fault.to_string()))?, None, None)
            }
            None if is_direct(url) => builder.disable_proxy(),
            None => builder,
        };
        let transport = secured(builder, access, url)?.build().map_err(|fault| wrong(fault.to_string()))?;
        Ok(Self { inner: Elasticsearch::new(transport), base, _relay: relay })
    }

    /// Sends one request; an answer of any status is an answer.
    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Body>,
        timeout: Duration,
    ) -> Result<Reply, Fault> {
        let mut headers = HeaderMap::new();
        let bytes = body.map(|body| {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(body.content_type));
            if let Some(encoding) = body.encoding.content_encoding() {
                headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
            }
            body.bytes
        });
        let classify = |fault: elasticsearch::Error| Fault::classify(&fault, fault.is_timeout());
        let answer = self.inner.send(method, path, headers, None::<&()>, bytes, Some(timeout)).await;
        let answer = answer.map_err(classify)?;
        self.answers_itself(path, answer.url())?;
        if let Some(length) = answer.content_length().filter(|length| *length > ANSWER_BYTES) {
            let detail = format!("{length} bytes announced, {ANSWER_BYTES} at most");
            return Err(Fault::new(Kind::Unreadable, detail));
        }
        let status = answer.status_code().as_u16();
        let retry_after = answer.headers().get(RETRY_AFTER).and_then(seconds);
        let body = answer.bytes().await.map_err(classify)?;
        Ok(Reply { status, body, retry_after })
    }

    /// Whether what was asked for at `path` is what `url` has answered.
    fn answers_itself(&self, path: &str, url: &Url) -> Result<(), Fault> {
        match self.base.join(path.trim_start_matches('/')) {
            Ok(asked) if asked == *url => Ok(()),
            // why without the query: it may be as long as the other end likes, and says nothing of where.
            _ => Err(Fault::new(
                Kind::Redirect,
                format!("{}{}", url.origin().ascii_serialization(), url.path()),
            )),
        }
    }
}

/// As the crate makes a node's URL the beginning of all others.
fn with_slash(mut url: Url) -> Url {
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    url
}

fn seconds(value: &HeaderValue) -> Option<Duration> {
    value.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// The URL under the name that the certificate carries, and the relay that leads to where the URL points.
fn named(url: &Url, name: &str) -> Result<(Url, Option<Relay>), String> {
    let host = url.host_str().ok_or("has no host")?.trim_matches(['[', ']']).to_owned();
    let port = url.port_or_known_default().ok_or("has no port")?;
    let relay = Relay::to(host, port).map_err(|fault| format!("no loopback port to relay from: {fault}"))?;
    let mut reached = url.clone();
    reached.set_host(Some(name)).map_err(|fault| format!("`elasticsearch.server_name`: {fault}"))?;
    Ok((reached, Some(relay)))
}

fn secured(
    mut builder: TransportBuilder,
    access: &Access,
    url: &Url,
) -> Result<TransportBuilder, OutputError> {
    if let Some(header) = &access.authorization {
        let mut value = HeaderValue::from_str(header.expose()).map_err(|_| OutputError::Secret {
            key: "elasticsearch",
            why: "credentials cannot be sent in a header",
        })?;
        value.set_sensitive(true);
        builder = builder.header(AUTHORIZATION, value);
    }
    if url.scheme() != "https" {
        return Ok(builder);
    }
    if let Some(pem) = &access.identity {
        builder = builder.auth(Credentials::Certificate(ClientCertificate::Pem(pem.expose().into())));
    }
    if !access.verify {
        return Ok(builder.cert_validation(CertificateValidation::None));
    }
    match &access.authorities {
        None => Ok(builder),
        Some((path, pem)) => {
            let what = "a PEM certificate of an authority";
            let fault = |_| OutputError::Content { key: "elasticsearch.ca_file", path: path.clone(), what };
            Ok(builder
                .cert_validation(CertificateValidation::Full(Certificate::from_pem(pem).map_err(fault)?)))
        }
    }
}

/// Whether a proxy of the environment is none of this node's business: a loopback host is never proxied, others
/// only where the environment names a proxy (and `NO_PROXY` has its say in the HTTP client).
fn is_direct(url: &Url) -> bool {
    const NAMES: [&str; 3] = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    is_loopback(url) || !NAMES.iter().any(|name| is_set(name) || is_set(&name.to_ascii_lowercase()))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_from_elsewhere_is_none_of_the_node() {
        let access = Access {
            authorization: None,
            authorities: None,
            identity: None,
            server_name: None,
            verify: true,
        };
        let url = "http://es.internal:9200/prefix".parse().expect("a URL");
        let client = Client::new(&url, &access).expect("a client");
        let answers =
            |url: &str| client.answers_itself("/_bulk?filter_path=a,b", &url.parse().expect("a URL"));
        assert_eq!(answers("http://es.internal:9200/prefix/_bulk?filter_path=a,b"), Ok(()));
        for elsewhere in [
            "https://es.internal:9200/prefix/_bulk?filter_path=a,b",
            "http://es.other:9200/prefix/_bulk?filter_path=a,b",
            "http://es.internal:9200/login?next=%2F_bulk",
        ] {
            let fault = answers(elsewhere).expect_err(elsewhere).to_string();
            assert!(!fault.contains('?') && fault.contains("elasticsearch.hosts"), "{fault}");
        }
    }

    #[test]
    fn a_loopback_host_is_told_in_each_of_its_forms() {
        for (url, loopback) in [
            ("http://127.0.0.1:9200", true),
            ("http://[::1]:9200", true),
            ("https://localhost", true),
            ("https://es.internal", false),
            ("http://10.0.0.1", false),
        ] {
            assert_eq!(is_loopback(&url.parse().expect("a URL")), loopback, "{url}");
        }
    }
}
