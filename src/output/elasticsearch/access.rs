//! How nodes want to be spoken to: credentials and certificates, read and checked once, before anything is sent.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::Url;

use crate::output::{Auth, ElasticsearchOptions, OutputError};
use crate::units::Secret;

/// What every node's client is built with.
#[derive(Debug)]
pub(super) struct Access {
    /// The value of the `Authorization` header.
    pub(super) authorization: Option<Secret>,
    /// The authorities' certificates, PEM, and where they came from.
    pub(super) authorities: Option<(PathBuf, Vec<u8>)>,
    /// The client's certificates and key, PEM.
    pub(super) identity: Option<Secret>,
    /// The name that the nodes' certificates carry.
    pub(super) server_name: Option<String>,
    /// Whether certificates are verified.
    pub(super) verify: bool,
}

impl Access {
    /// Reads the files and checks the secrets that `options` name; says loudly if nothing is verified.
    pub(super) fn new(options: &ElasticsearchOptions) -> Result<Self, OutputError> {
        let authorities = match &options.ca_file {
            Some(path) => Some((path.clone(), read("elasticsearch.ca_file", path)?)),
            None => None,
        };
        if !options.verify {
            tracing::warn!(
                "elasticsearch.verify is false: whoever answers at a node's address is trusted with \
                 every log line and the credentials"
            );
        }
        Ok(Self {
            authorization: authorization(&with_url_credentials(options))?,
            authorities,
            identity: identity(options)?,
            server_name: options.server_name.clone(),
            verify: options.verify,
        })
    }
}

/// `url` without its user part, and refused where it cannot be a node's.
pub(super) fn node_url(url: &Url) -> Result<Url, OutputError> {
    let mut bare = url.clone();
    let stripped = bare.set_username("").and_then(|()| bare.set_password(None));
    let refuse = |why: &str| Err(OutputError::Host { url: bare.to_string(), why: why.into() });
    if stripped.is_err() || url.host().is_none() || !matches!(url.scheme(), "http" | "https") {
        return refuse("is not an http:// or https:// URL with a host");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refuse("has a query or fragment; a path prefix is all that may follow the host");
    }
    Ok(bare)
}

/// The configured credentials or, where there are none, those of the first URL that carries some.
fn with_url_credentials(options: &ElasticsearchOptions) -> Auth {
    let carried = options.hosts.iter().find(|url| !url.username().is_empty());
    match (&options.auth, carried) {
        (Auth::None, Some(url)) => Auth::Basic {
            username: percent_decoded(url.username()),
            password: Secret::new(percent_decoded(url.password().unwrap_or_default())),
        },
        (auth, _) => auth.clone(),
    }
}

fn percent_decoded(text: &str) -> String {
    // why: the same decoding as for a form's value, save for `+`, which stands for itself in a URL's user part.
    let pair = format!("v={}", text.replace('+', "%2B"));
    url::form_urlencoded::parse(pair.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

fn authorization(auth: &Auth) -> Result<Option<Secret>, OutputError> {
    let header = match auth {
        Auth::None => return Ok(None),
        Auth::Basic { username, password } => {
            format!("Basic {}", STANDARD.encode(format!("{username}:{}", password.expose())))
        }
        Auth::ApiKey(key) => format!("ApiKey {}", encoded_key(key.expose().trim())?),
        Auth::Bearer(token) => format!("Bearer {}", token.expose().trim()),
    };
    let printable = header.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    let why = "holds characters that cannot be sent in a header";
    let key = "elasticsearch.bearer_token";
    if printable { Ok(Some(Secret::new(header))) } else { Err(OutputError::Secret { key, why }) }
}

/// `id:key` is encoded, what is base64 of that already is taken as it is.
fn encoded_key(key: &str) -> Result<String, OutputError> {
    let why = "is neither `id:key` nor its base64 form";
    match STANDARD.decode(key) {
        Ok(inner) if inner.contains(&b':') => Ok(key.to_owned()),
        _ if key.contains(':') => Ok(STANDARD.encode(key)),
        _ => Err(OutputError::Secret { key: "elasticsearch.api_key", why }),
    }
}

fn identity(options: &ElasticsearchOptions) -> Result<Option<Secret>, OutputError> {
    let Some(pair) = &options.client_certificate else { return Ok(None) };
    let certificate =
        pem("elasticsearch.client_certificate", &pair.certificate, "CERTIFICATE-----", "a PEM certificate")?;
    let key = pem(
        "elasticsearch.client_key",
        &pair.key,
        "PRIVATE KEY-----",
        "a PEM private key without a password",
    )?;
    Ok(Some(Secret::new(format!("{certificate}\n{key}"))))
}

fn pem(key: &'static str, path: &Path, mark: &str, what: &'static str) -> Result<String, OutputError> {
    let wrong = || OutputError::Content { key, path: path.into(), what };
    let text = String::from_utf8(read(key, path)?).map_err(|_| wrong())?;
    if text.contains(mark) && !text.contains("ENCRYPTED PRIVATE KEY") { Ok(text) } else { Err(wrong()) }
}

fn read(key: &'static str, path: &Path) -> Result<Vec<u8>, OutputError> {
    fs::read(path).map_err(|source| OutputError::Read { key, path: path.into(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(auth: Auth) -> Option<String> {
        authorization(&auth).expect("usable").map(|header| header.expose().to_owned())
    }

    #[test]
    fn an_api_key_is_taken_in_both_its_forms() {
        let plain = header(Auth::ApiKey(Secret::new("id:key")));
        let encoded = header(Auth::ApiKey(Secret::new("aWQ6a2V5\n")));
        assert_eq!(plain.as_deref(), Some("ApiKey aWQ6a2V5"));
        assert_eq!(plain, encoded);
        let fault = authorization(&Auth::ApiKey(Secret::new("hunter2!"))).expect_err("neither form");
        assert!(!fault.to_string().contains("hunter2"), "{fault}");
    }

    #[test]
    fn a_token_that_would_break_the_header_is_refused_without_being_shown() {
        let fault = authorization(&Auth::Bearer(Secret::new("hunter2\r\nx: y"))).expect_err("a line break");
        assert!(!fault.to_string().contains("hunter2"), "{fault}");
    }

    #[test]
    fn credentials_in_a_url_are_used_and_never_shown() {
        let url: Url = "http://ada:s%2Bec%20ret@node:9200/es".parse().expect("a URL");
        let bare = node_url(&url).expect("a node");
        assert_eq!(bare.as_str(), "http://node:9200/es");
        let options = ElasticsearchOptions { hosts: vec![url], ..Default::default() };
        let header = header(with_url_credentials(&options));
        assert_eq!(header, Some(format!("Basic {}", STANDARD.encode("ada:s+ec ret"))));
    }

    #[test]
    fn a_missing_file_is_named_with_its_key() {
        let options = ElasticsearchOptions { ca_file: Some("/nowhere/ca.pem".into()), ..Default::default() };
        let fault = Access::new(&options).expect_err("no such file").to_string();
        assert!(fault.contains("elasticsearch.ca_file") && fault.contains("/nowhere/ca.pem"), "{fault}");
    }
}
