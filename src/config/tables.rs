//! Every key of every table, once: these functions read a configuration, tell unknown keys and print the
//! effective one. The order of the calls is the order in print; keys come before tables below them.

use std::time::Duration;

use super::Config;
use super::auth::auth;
use super::checks;
use super::formats::{self, Formats};
use super::section::Section;
use super::security::security;
use super::steps::step;
use super::tail::tail;
use super::tls::tls;
use super::trials::test;
use crate::buffer::BufferOptions;
use crate::enrich::{MultilineOptions, PartialOptions, PipelineOptions};
use crate::http::HttpOptions;
use crate::input::forward::{ForwardOptions, LimitOptions, SocketOptions};
use crate::log::LogOptions;
use crate::output::{ClientCertificate, DeadLetterOptions, ElasticsearchOptions, FileOptions};
use crate::units::ByteSize;

/// The shortest time that a key takes, where none at all makes no sense.
pub(super) const MOMENT: Duration = Duration::from_millis(1);

pub(super) fn config(section: &mut Section<'_>, config: &mut Config) {
    section.key("data_dir", &mut config.data_dir);
    section.checked("stop_timeout", &mut config.stop_timeout, checks::at_least(MOMENT));
    section.tables("forward", &mut config.forward, forward);
    section.tables("tail", &mut config.tail, tail);
    let formats = formats::formats(section, &mut config.formats);
    section.tables("pipeline", &mut config.pipelines, |section: &mut Section<'_>, options: &mut _| {
        pipeline(section, options, &formats);
    });
    section.table("partial", &mut config.partial, partial);
    section.table("multiline", &mut config.multiline, multiline);
    section.table("buffer", &mut config.buffer, buffer);
    section.table("elasticsearch", &mut config.elasticsearch, elasticsearch);
    section.table("file", &mut config.file, file);
    section.table("dead_letters", &mut config.dead_letters, dead_letters);
    section.table("http", &mut config.http, http);
    section.table("log", &mut config.log, log);
    refuse_listeners(section, config);
    refuse_pipelines(section, &config.pipelines);
}

fn refuse_listeners(section: &mut Section<'_>, config: &Config) {
    let address = |one: &ForwardOptions| match one.unix_path() {
        // Docker's way to write it is the same socket.
        Some(path) => format!("unix:{}", path.display()),
        None => one.listen.clone(),
    };
    let mut addresses: Vec<String> = config.forward.iter().map(address).collect();
    addresses.push(config.http.listen.clone());
    for (index, address) in addresses.iter().enumerate() {
        let is_free_choice = address.ends_with(":0");
        if !is_free_choice && addresses.iter().take(index).any(|other| other == address) {
            section.refuse(&["forward", "http"], format!("`{address}` is listened on twice"));
        }
    }
}

fn refuse_pipelines(section: &mut Section<'_>, pipelines: &[PipelineOptions]) {
    for (index, pipeline) in pipelines.iter().enumerate() {
        let covers = |other: &&PipelineOptions| other.pattern == "**" || other.pattern == pipeline.pattern;
        if let Some(other) = pipelines.iter().take(index).find(covers) {
            let (own, other) = (&pipeline.pattern, &other.pattern);
            let why = format!("`{own}` is never reached: `{other}` before it takes all of its tags");
            section.refuse(&["pipeline"], why);
        }
    }
}

fn forward(section: &mut Section<'_>, options: &mut ForwardOptions) {
    section.checked("listen", &mut options.listen, checks::listen_or_unix);
    section.checked("source_address_key", &mut options.source_address_key, checks::added_field);
    section.checked("source_hostname_key", &mut options.source_hostname_key, checks::added_field);
    section.key("proxy_protocol", &mut options.proxy_protocol);
    section.key("trusted_proxies", &mut options.trusted_proxies);
    section.key("udp_heartbeat", &mut options.udp_heartbeat);
    section.key("deny_keepalive", &mut options.deny_keepalive);
    socket(section, &mut options.socket);
    refuse_sockets(section, options);
    section.key("tag", &mut options.tag);
    section.checked("add_tag_prefix", &mut options.add_tag_prefix, checks::tag_prefix);
    section.key("time_milliseconds", &mut options.time_milliseconds);
    section.table("tls", &mut options.tls, tls);
    section.table("limits", &mut options.limits, limits);
    section.table("security", &mut options.security, security);
    refuse_nobody(section, options);
}

/// What comes over a unix socket has no address that a rule could cover, unless a proxy tells it.
fn refuse_nobody(section: &mut Section<'_>, options: &ForwardOptions) {
    let has_no_address = options.unix_path().is_some() && !options.proxy_protocol;
    if has_no_address && !options.security.allow_anonymous {
        let why = "lets nobody in: what comes over a unix socket has no address; take allow_anonymous = true";
        section.refuse(&["security"], why);
    }
}

fn socket(section: &mut Section<'_>, options: &mut SocketOptions) {
    const SECOND: Duration = Duration::from_secs(1);
    // What the system takes.
    const LONGEST: Duration = Duration::from_secs(32_767);
    section.key("unix_mode", &mut options.unix_mode);
    section.checked("unix_owner", &mut options.unix_owner, checks::owner);
    section.checked("backlog", &mut options.backlog, checks::at_least(1));
    section.checked("linger_timeout", &mut options.linger_timeout, checks::linger);
    section.key("send_keepalive_packet", &mut options.send_keepalive_packet);
    section.checked("keepalive_idle", &mut options.keepalive_idle, checks::between(SECOND, LONGEST));
    section.checked("keepalive_interval", &mut options.keepalive_interval, checks::between(SECOND, LONGEST));
    section.checked("keepalive_count", &mut options.keepalive_count, checks::between(1, 127));
}

/// What could not take effect is a mistake.
fn refuse_sockets(section: &mut Section<'_>, options: &ForwardOptions) {
    let is_unix = options.unix_path().is_some();
    if !is_unix && options.socket.unix_owner.is_some() {
        section.refuse(&["unix_owner"], "has no effect, as listen is no unix socket");
    }
    if !is_unix && options.socket.unix_mode != SocketOptions::default().unix_mode {
        section.refuse(&["unix_mode"], "has no effect, as listen is no unix socket");
    }
    if !options.proxy_protocol && !options.trusted_proxies.is_empty() {
        section.refuse(&["trusted_proxies"], "has no effect without proxy_protocol = true");
    }
    let (address, name) = (&options.source_address_key, &options.source_hostname_key);
    if address.is_some() && address == name {
        let keys = ["source_hostname_key", "source_address_key"];
        section.refuse(&keys, "is the same field as source_address_key; name another");
    }
    let tells = [("source_address_key", address), ("source_hostname_key", name)];
    for (key, _) in
        tells.into_iter().filter(|(_, field)| is_unix && !options.proxy_protocol && field.is_some())
    {
        section.refuse(&[key], "has no effect: what comes over a unix socket has no address");
    }
}

fn limits(section: &mut Section<'_>, options: &mut LimitOptions) {
    section.checked("frame_bytes", &mut options.frame_bytes, checks::at_least(ByteSize::kib(1)));
    section.key("skip_bytes", &mut options.skip_bytes);
    section.checked(
        "decompressed_bytes",
        &mut options.decompressed_bytes,
        checks::at_least(ByteSize::kib(1)),
    );
    section.checked("decompression_ratio", &mut options.decompression_ratio, checks::at_least(1));
    section.checked("depth", &mut options.depth, checks::at_least(1));
    section.checked("fields", &mut options.fields, checks::at_least(1));
    section.checked("string_bytes", &mut options.string_bytes, checks::at_least(ByteSize::kib(1)));
    section.checked("tag_bytes", &mut options.tag_bytes, checks::at_least(ByteSize(16)));
    section.checked("connections", &mut options.connections, checks::at_least(1));
    section.checked("connections_per_address", &mut options.connections_per_address, checks::at_least(1));
    section.checked("handshake_timeout", &mut options.handshake_timeout, checks::at_least(MOMENT));
    section.key("idle_timeout", &mut options.idle_timeout);
    section.checked("frame_timeout", &mut options.frame_timeout, checks::at_least(MOMENT));
    section.checked("ack_timeout", &mut options.ack_timeout, checks::at_least(MOMENT));
    section.checked("in_flight_bytes", &mut options.in_flight_bytes, checks::at_least(ByteSize(1)));
    section.checked("frames_memory", &mut options.frames_memory, checks::at_least(ByteSize::kib(64)));
}

fn pipeline(section: &mut Section<'_>, options: &mut PipelineOptions, formats: &Formats) {
    section.checked("match", &mut options.pattern, checks::tag_pattern);
    formats::parse(section, &mut options.parse, formats);
    section.key("schema", &mut options.schema);
    section.key("timezone", &mut options.timezone);
    section.key("original_level_field", &mut options.original_level_field);
    section.checked("fields", &mut options.fields, checks::fields);
    section.key("host_field", &mut options.host_field);
    section.key("tag_field", &mut options.tag_field);
    section.checked("index", &mut options.index, checks::optional_index);
    section.key("join_partial", &mut options.join_partial);
    section.checked("multiline", &mut options.multiline, checks::multiline);
    section.tables("step", &mut options.steps, step);
    section.tables("test", &mut options.tests, test);
    if options.host_field.is_some() && options.host_field == options.tag_field {
        section.refuse(&["host_field", "tag_field"], "is the same field as tag_field; name another");
    }
}

fn multiline(section: &mut Section<'_>, options: &mut MultilineOptions) {
    section.checked("memory", &mut options.memory, checks::at_least(ByteSize::kib(64)));
    section.checked("event_bytes", &mut options.event_bytes, checks::at_least(ByteSize::kib(1)));
    section.checked("lines", &mut options.lines, checks::at_least(2));
    section.checked("timeout", &mut options.timeout, checks::at_least(MOMENT));
}

fn partial(section: &mut Section<'_>, options: &mut PartialOptions) {
    section.checked("memory", &mut options.memory, checks::at_least(ByteSize::kib(16)));
    section.checked("line_bytes", &mut options.line_bytes, checks::at_least(ByteSize::kib(16)));
    section.checked("timeout", &mut options.timeout, checks::at_least(MOMENT));
    if options.line_bytes > options.memory {
        let why =
            format!("one line ({}) cannot be larger than memory ({})", options.line_bytes, options.memory);
        section.refuse(&["line_bytes", "memory"], why);
    }
}

fn buffer(section: &mut Section<'_>, options: &mut BufferOptions) {
    section.checked("memory", &mut options.memory, checks::at_least(ByteSize::mib(1)));
    section.checked("disk", &mut options.disk, checks::at_least(ByteSize::mib(1)));
    section.key("min_free", &mut options.min_free);
    section.checked("min_free_percent", &mut options.min_free_percent, checks::percent);
    section.key("when_full", &mut options.when_full);
    section.key("compression", &mut options.compression);
    section.checked("batch_bytes", &mut options.batch_bytes, checks::at_least(ByteSize::kib(1)));
    section.checked("batch_documents", &mut options.batch_documents, checks::at_least(1));
    section.checked("batch_age", &mut options.batch_age, checks::at_least(MOMENT));
    section.checked("max_age", &mut options.max_age, checks::at_least(MOMENT));
    section.checked("segment_bytes", &mut options.segment_bytes, checks::at_least(ByteSize::kib(64)));
    refuse_sizes(section, options);
}

fn refuse_sizes(section: &mut Section<'_>, options: &BufferOptions) {
    let BufferOptions { memory, disk, batch_bytes, segment_bytes, .. } = *options;
    if batch_bytes > memory {
        let why = format!("a batch ({batch_bytes}) has to fit into memory ({memory}); lower batch_bytes");
        section.refuse(&["batch_bytes", "memory"], why);
    }
    if segment_bytes > disk {
        let why = format!("a segment ({segment_bytes}) has to fit into disk ({disk}); lower segment_bytes");
        section.refuse(&["segment_bytes", "disk"], why);
    }
}

fn elasticsearch(section: &mut Section<'_>, options: &mut ElasticsearchOptions) {
    section.checked("hosts", &mut options.hosts, checks::hosts);
    section.checked("index", &mut options.index, checks::index);
    section.checked("index_fallback", &mut options.index_fallback, checks::index);
    auth(section, options);
    section.checked("ca_file", &mut options.ca_file, checks::readable);
    client_certificate(section, options);
    section.key("server_name", &mut options.server_name);
    section.key("verify", &mut options.verify);
    section.key("compression", &mut options.compression);
    section.checked("request_timeout", &mut options.request_timeout, checks::at_least(MOMENT));
    section.checked("max_concurrency", &mut options.max_concurrency, checks::at_least(1));
    section.checked("retry_min", &mut options.retry_min, checks::at_least(MOMENT));
    section.checked("retry_max", &mut options.retry_max, checks::at_least(MOMENT));
    section.key("install_template", &mut options.install_template);
    section.key("sniff", &mut options.sniff);
    section.key("heal", &mut options.heal);
    section.checked("heal_fields", &mut options.heal_fields, checks::at_least(1));
    if options.retry_min > options.retry_max {
        section.refuse(&["retry_min", "retry_max"], "the first pause, retry_min, is longer than retry_max");
    }
    refuse_tls(section, options);
}

fn client_certificate(section: &mut Section<'_>, options: &mut ElasticsearchOptions) {
    let both = options.client_certificate.take();
    let (mut certificate, mut key) = both.map(|both| (both.certificate, both.key)).unzip();
    let before = section.faults();
    section.checked("client_certificate", &mut certificate, checks::readable);
    section.checked("client_key", &mut key, checks::readable);
    options.client_certificate = match (certificate, key) {
        (Some(certificate), Some(key)) => Some(ClientCertificate { certificate, key }),
        _ if section.faults() > before => None,
        (Some(_), None) => {
            section.refuse(&["client_certificate"], "needs its private key; set client_key");
            None
        }
        (None, Some(_)) => {
            section.refuse(&["client_key"], "needs its certificate; set client_certificate");
            None
        }
        (None, None) => None,
    };
}

/// TLS that could not take effect would be a false sense of safety.
fn refuse_tls(section: &mut Section<'_>, options: &ElasticsearchOptions) {
    let given = [
        ("ca_file", options.ca_file.is_some()),
        ("client_certificate", options.client_certificate.is_some()),
        ("server_name", options.server_name.is_some()),
    ];
    let is_plain = !options.hosts.is_empty() && options.hosts.iter().all(|host| host.scheme() == "http");
    for (key, _) in given.into_iter().filter(|(_, given)| is_plain && *given) {
        section.refuse(&[key], "has no effect, as every host is http://; write https:// in hosts");
    }
    if !options.verify && options.ca_file.is_some() {
        section.refuse(&["ca_file"], "has no effect with verify = false; drop one of the two");
    }
}

fn file(section: &mut Section<'_>, options: &mut FileOptions) {
    section.key("directory", &mut options.directory);
    section.key("compression", &mut options.compression);
    section.checked("rotate_bytes", &mut options.rotate_bytes, checks::at_least(ByteSize::kib(1)));
    section.checked("rotate_age", &mut options.rotate_age, checks::at_least(MOMENT));
    section.key("keep", &mut options.keep);
    refuse_keep(section, options.keep, options.rotate_bytes);
}

fn dead_letters(section: &mut Section<'_>, options: &mut DeadLetterOptions) {
    section.key("directory", &mut options.directory);
    section.checked("rotate_bytes", &mut options.rotate_bytes, checks::at_least(ByteSize::kib(1)));
    section.key("keep", &mut options.keep);
    refuse_keep(section, options.keep, options.rotate_bytes);
}

fn refuse_keep(section: &mut Section<'_>, keep: ByteSize, rotate: ByteSize) {
    if keep.0 != 0 && keep < rotate {
        let why = format!("{keep} is less than one file ({rotate}); raise it, or take 0 to keep all");
        section.refuse(&["keep", "rotate_bytes"], why);
    }
}

fn http(section: &mut Section<'_>, options: &mut HttpOptions) {
    section.checked("listen", &mut options.listen, checks::listen_or_none);
}

fn log(section: &mut Section<'_>, options: &mut LogOptions) {
    section.checked("level", &mut options.level, checks::level);
    section.key("format", &mut options.format);
}
