//! Outputs to Elasticsearch and OpenSearch, of Fluentd's plugins and of Fluent Bit's: nodes, credentials, TLS, and the
//! index and the tag's field of the leg that ends there.

use std::net::Ipv6Addr;

use url::Url;

use super::documents;
use super::draft::{Draft, End};
use super::section::{Entry, Section};
use super::template;
use super::words::{list, path, quote, time};

/// How the two differ where a key is missing.
pub(super) struct Defaults {
    pub(super) port: u16,
    pub(super) index: &'static str,
    pub(super) tag_key: &'static str,
    /// How a text with places becomes an index.
    pub(super) template: fn(&str) -> Result<String, String>,
}

/// Keys that need nothing: Forebay does it by itself, or it is about the other program's own insides.
pub(super) const NEEDLESS: &[&str] = &[
    "@id",
    "@log_level",
    "generate_id",
    "type_name",
    "type",
    "suppress_type_name",
    "reload_connections",
    "reconnect_on_error",
    "reload_on_failure",
    "reload_after",
    "resurrect_after",
    "sniffer_class_name",
    "log_es_400_reason",
    "with_transporter_log",
    "default_elasticsearch_version",
    "default_opensearch_version",
    "verify_es_version_at_startup",
    "max_retry_get_es_version",
    "max_retry_putting_template",
    "suppress_doc_wrap",
    "fail_on_putting_template_retry_exceed",
    "fail_on_detecting_es_version_retry_exceed",
    "time_key_format",
    "time_key_nanos",
    "bulk_message_request_threshold",
    "trace_output",
    "trace_error",
    "name",
    "alias",
    "workers",
    "retry_limit",
    "buffer_size",
    "num_threads",
    "http_backend",
    "prefer_oj_serializer",
    "include_index_in_url",
    "remove_keys_on_update",
    "time_precision",
    "emit_error_for_missing_id",
    "ssl_version",
    "ssl_max_version",
    "ssl_min_version",
    "slow_flush_log_threshold",
    "net.keepalive",
    "log_level",
    "logstash_prefix_separator",
    "net.keepalive_idle_timeout",
    "tls.debug",
    "match",
    "match_regex",
];

/// Carries an output over, and tells how its legs end.
pub(super) fn elasticsearch(output: &mut Section, defaults: &Defaults, draft: &mut Draft) -> End {
    let end =
        End { index: index(output, defaults, draft), tag_field: tag_field(output, defaults), drops: false };
    let is_tls = hosts(output, defaults, draft);
    credentials(output, draft);
    tls(output, is_tls, draft);
    if let Some(timeout) = output.take(&["request_timeout"]) {
        match time(&timeout.value) {
            Some(value) => draft.set("elasticsearch", "request_timeout", quote(&value), timeout.from()),
            None => draft.leave(timeout.from(), "it is no time"),
        }
    }
    let compress = output.take(&["compression_level", "compress"]);
    if let Some(compress) =
        compress.filter(|entry| !["no_compression", "off", "false"].contains(&&*entry.value))
    {
        draft.set("elasticsearch", "compression", quote("gzip"), compress.from());
    }
    documents::tell(output, draft);
    output.pass_over(NEEDLESS);
    end
}

/// The index of these events.
fn index(output: &mut Section, defaults: &Defaults, draft: &mut Draft) -> Option<(String, String)> {
    let is_logstash = output.take_truth(&["logstash_format"]).unwrap_or(false);
    let separator = output.value("logstash_prefix_separator").unwrap_or("-").to_owned();
    let prefix = output.take(&["logstash_prefix"]);
    let format = output.take(&["logstash_dateformat"]);
    let key = output.take(&["logstash_prefix_key"]);
    let name = output.take(&["data_stream_name", "index_name", "index"]);
    let (text, from) = if is_logstash {
        let from = prefix.as_ref().map_or_else(|| output.from(), Entry::from);
        let prefix = prefix.map_or_else(|| "logstash".to_owned(), |prefix| prefix.value);
        let format = format.map_or_else(|| "%Y.%m.%d".to_owned(), |format| format.value);
        (format!("{prefix}{separator}{format}"), from)
    } else {
        let from = name.as_ref().map_or_else(|| output.from(), Entry::from);
        (name.map_or_else(|| defaults.index.to_owned(), |name| name.value), from)
    };
    match (defaults.template)(&text) {
        Ok(index) => match key.as_ref().and_then(|key| path(&key.value)).filter(|_| is_logstash) {
            Some(field) => by_field(&index, &field, &separator, from, draft),
            None => Some((index, from)),
        },
        Err(why) => {
            draft.leave(from, why);
            None
        }
    }
}

/// An index whose prefix is a field's value, and the prefix itself where there is none.
fn by_field(
    index: &str,
    field: &str,
    separator: &str,
    from: String,
    draft: &mut Draft,
) -> Option<(String, String)> {
    let rest = index.rsplit_once('%').and_then(|_| index.split_once(&format!("{separator}%")));
    let (prefix, format) = rest.unwrap_or((index, "Y.%m.%d"));
    if !prefix.contains(['{', '%']) {
        draft.set(
            "elasticsearch",
            "index_fallback",
            quote(&format!("{prefix}{separator}%{format}")),
            from.clone(),
        );
    }
    Some((format!("{{{field}}}{separator}%{format}"), from))
}

fn tag_field(output: &mut Section, defaults: &Defaults) -> Option<(String, String)> {
    let includes = output.take(&["include_tag_key"]);
    let key = output.take(&["tag_key"]);
    let includes = includes.filter(Entry::is_on)?;
    let name = key.map_or_else(|| defaults.tag_key.to_owned(), |key| key.value);
    Some((name, includes.from()))
}

/// The nodes. Whether they are spoken to over TLS.
fn hosts(output: &mut Section, defaults: &Defaults, draft: &mut Draft) -> bool {
    let secure = output.take_truth(&["tls"]).unwrap_or(false);
    let scheme = output
        .take(&["scheme"])
        .map_or_else(|| if secure { "https" } else { "http" }.into(), |entry| entry.value);
    let port = output.take(&["port"]).map_or_else(|| defaults.port.to_string(), |entry| entry.value);
    let folder = output.take(&["path"]).map(|entry| entry.value).unwrap_or_default();
    let Some(entry) = output.take(&["hosts", "host", "cloud_id"]) else {
        draft.set("elasticsearch", "hosts", list(&[format!("{scheme}://localhost:{port}")]), output.from());
        return scheme == "https";
    };
    output.pass_over(&["host"]);
    let Some(known) = draft.known(&entry, "elasticsearch.hosts") else { return scheme == "https" };
    if entry.key == "cloud_id" {
        draft.leave(entry.from(), "write the URL that the cloud shows for Elasticsearch into hosts");
        return true;
    }
    let mut urls: Vec<String> = Vec::new();
    // An array, or the brackets of an address.
    let bare = known.trim().strip_prefix('[').and_then(|inside| inside.strip_suffix(']')).unwrap_or(&known);
    for host in bare.split([',', '"', ' ', '\n']).map(str::trim).filter(|host| !host.is_empty()) {
        match url(host, &scheme, &port, &folder) {
            Some(url) if urls.contains(&url) => {}
            Some(url) => urls.push(url),
            None => draft.leave(entry.from(), format!("`{host}` makes no URL")),
        }
    }
    if !urls.is_empty() {
        draft.set("elasticsearch", "hosts", list(&urls), entry.from());
    }
    urls.iter().any(|url| url.starts_with("https"))
}

fn url(host: &str, scheme: &str, port: &str, folder: &str) -> Option<String> {
    if host.contains("://") {
        return Url::parse(host).is_ok().then(|| host.trim_end_matches('/').to_owned());
    }
    let host = host.parse::<Ipv6Addr>().map_or_else(|_| host.to_owned(), |address| format!("[{address}]"));
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let port = if has_port { String::new() } else { format!(":{port}") };
    let folder = folder.trim_matches('/');
    let folder = if folder.is_empty() { String::new() } else { format!("/{folder}") };
    let url = format!("{scheme}://{host}{port}{folder}");
    Url::parse(&url).is_ok().then_some(url)
}

/// A user and a password: neither makes sense without the other.
fn credentials(output: &mut Section, draft: &mut Draft) {
    let user = output.take(&["user", "http_user"]);
    let password = output.take(&["password", "http_passwd"]);
    if let Some(key) = output.take(&["api_key", "http_api_key"]) {
        if let Some(known) = draft.known(&key, "elasticsearch.api_key") {
            draft.set("elasticsearch", "api_key", quote(&known), key.from());
        }
        return;
    }
    let (Some(user), Some(password)) = (user, password) else { return };
    if draft.has("elasticsearch", "api_key") {
        return;
    }
    let known =
        (draft.known(&user, "elasticsearch.username"), draft.known(&password, "elasticsearch.password"));
    match known {
        (Some(name), Some(secret)) => {
            draft.set("elasticsearch", "username", quote(&name), user.from());
            draft.set("elasticsearch", "password", quote(&secret), password.from());
        }
        (Some(name), None) => {
            draft.leave(user.from(), format!("set username = {} beside the password", quote(&name)))
        }
        _ => {}
    }
}

/// TLS of the nodes; where they are plain it would have no effect, and is left out.
fn tls(output: &mut Section, is_tls: bool, draft: &mut Draft) {
    let verifies = output.take(&["ssl_verify", "tls.verify"]);
    let ca = output.take(&["ca_file", "tls.ca_file"]);
    let certificate = output.take(&["client_cert", "tls.crt_file"]);
    let key = output.take(&["client_key", "tls.key_file"]);
    let server = output.take(&["tls.vhost"]);
    if !is_tls {
        return;
    }
    match (verifies.filter(Entry::is_off), ca) {
        (Some(off), _) => draft.set("elasticsearch", "verify", "false".into(), off.from()),
        (None, Some(ca)) => set_path(&ca, "ca_file", draft),
        (None, None) => {}
    }
    if let (Some(certificate), Some(key)) = (certificate, key) {
        set_path(&certificate, "client_certificate", draft);
        set_path(&key, "client_key", draft);
    }
    if let Some(server) = server {
        draft.set("elasticsearch", "server_name", quote(&server.value), server.from());
    }
}

fn set_path(entry: &Entry, key: &str, draft: &mut Draft) {
    if let Some(path) = draft.known(entry, &format!("elasticsearch.{key}")) {
        draft.set("elasticsearch", key, quote(&path), entry.from());
    }
}

/// The index template of Fluentd, with its places.
pub(super) const FLUENTD: Defaults =
    Defaults { port: 9200, index: "fluentd", tag_key: "tag", template: template::index };
