//! A listener for the forward protocol, of Fluentd's `forward` and of Fluent Bit's: address, TLS, and what clients have
//! to prove.

use std::net::Ipv6Addr;

use super::draft::{Draft, Table};
use super::section::{Entry, Section};
use super::security::security;
use super::words::quote;

/// Where the other program listens if nothing is said.
const ALL: &str = "0.0.0.0";

/// Carries a listener over, whose nested sections are moved up or left below as each of the two has them.
pub(super) fn forward(mut source: Section, draft: &mut Draft) {
    let from = source.from();
    let index = draft.listeners.len();
    let mut table = Table::new("[[forward]]", from.clone());
    if source.value("unix_path").or(source.value("path")).is_some() {
        leave_addresses(&mut source, draft);
    } else {
        source.pass_over(&["unix_perm"]);
    }
    let mut security = security(&mut source, index, draft);
    listen(&mut source, security.is_none(), &mut table, draft);
    plain_keys(&mut source, &mut table, draft);
    let mut tables = vec![table];
    tables.extend(tls(&mut source, draft));
    tables.extend(security.take().into_iter().flatten());
    source.pass_over(&[
        "chunk_size_warn_limit",
        "skip_invalid_event",
        "resolve_hostname",
        "buffer_chunk_size",
    ]);
    source.pass_over(&[
        "heartbeat_type",
        "mem_buf_limit",
        "storage.type",
        "threaded",
        "log_level",
        "@log_level",
    ]);
    draft.leave_rest(&source);
    let address =
        |table: &Table| table.lines.iter().find(|line| line.key == "listen").map(|line| line.value.clone());
    let own = tables.first().and_then(address);
    if draft.listeners.iter().any(|other| other.first().and_then(address) == own) {
        draft.leave(from, "another listener has the same address");
    } else {
        draft.listeners.push(tables);
    }
}

/// What comes over a unix socket has no address that could be told or ruled by.
fn leave_addresses(source: &mut Section, draft: &mut Draft) {
    let names = ["source_hostname_key", "source_address_key", "allow_anonymous_source"];
    for name in names {
        if let Some(entry) = source.take(&[name]) {
            draft.leave(entry.from(), "what comes over a unix socket has no address");
        }
    }
    for security in &mut source.sections {
        security.pass_over(&names);
    }
}

/// A unix socket, or an address. One whose key is not known here listens on loopback: nobody is let in by mistake.
fn listen(source: &mut Section, is_open_by_mistake: bool, table: &mut Table, draft: &mut Draft) {
    let path = source.take(&["unix_path", "path"]);
    let (bind, port) = (source.take(&["bind", "listen"]), source.take(&["port"]));
    if let Some(path) = path {
        table.push("listen", quote(&format!("unix:{}", path.value)), path.from());
        return;
    }
    let from = bind.as_ref().or(port.as_ref()).map_or_else(|| source.from(), Entry::from);
    let port = port.map_or(24224, |port| {
        port.value.parse::<u16>().unwrap_or_else(|_| {
            draft.leave(port.from(), "it is no port as it stands; 24224 is printed in its place");
            24224
        })
    });
    let bind = bind.map_or_else(|| ALL.to_owned(), |bind| self::bind(bind, draft));
    match is_open_by_mistake {
        true => {
            let why = format!("{from}: on loopback until clients have a shared key to prove");
            table.push("listen", quote(&format!("127.0.0.1:{port}")), why);
        }
        false if bind.contains(':') && !bind.starts_with('[') => {
            table.push("listen", quote(&format!("[{bind}]:{port}")), from);
        }
        false => table.push("listen", quote(&format!("{bind}:{port}")), from),
    }
}

/// The address that `bind` is. One that is none does not open the listener to everybody.
fn bind(bind: Entry, draft: &mut Draft) -> String {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let bare =
        bind.value.strip_prefix('[').and_then(|inside| inside.strip_suffix(']')).unwrap_or(&bind.value);
    match bind.value.as_str() {
        "" => ALL.to_owned(),
        value if value.chars().all(is_name) || bare.parse::<Ipv6Addr>().is_ok() => value.to_owned(),
        value if value.starts_with("#{") || value.starts_with("${") => {
            draft.leave(bind.from(), "the value is known where it runs; the listener is on all addresses");
            ALL.to_owned()
        }
        _ => {
            draft.leave(bind.from(), "it is no address; the listener is on loopback");
            "127.0.0.1".to_owned()
        }
    }
}

fn plain_keys(source: &mut Section, table: &mut Table, draft: &mut Draft) {
    for (names, key) in [
        (["tag", "tag"], "tag"),
        (["add_tag_prefix", "tag_prefix"], "add_tag_prefix"),
        (["source_hostname_key", "source_host_key"], "source_hostname_key"),
        (["source_address_key", "source_addr_key"], "source_address_key"),
    ] {
        let Some(entry) = source.take(&names) else { continue };
        let value = entry.value.trim_end_matches('.');
        if entry.value.contains(['#', '$']) {
            draft.leave(entry.from(), "the value is known where it runs");
        } else if !value.is_empty() {
            table.push(key, quote(value), entry.from());
        }
    }
    for key in ["deny_keepalive", "send_keepalive_packet"] {
        if let Some(entry) = source.take(&[key]) {
            table.push(key, entry.is_on().to_string(), entry.from());
        }
    }
    for (name, key) in [("backlog", "backlog"), ("unix_perm", "unix_mode")] {
        let Some(entry) =
            source.take(&[name]).filter(|entry| entry.value.parse::<u32>().is_ok_and(|n| n > 0))
        else {
            continue;
        };
        let value = if key == "unix_mode" { quote(&entry.value) } else { entry.value.clone() };
        table.push(key, value, entry.from());
    }
    if let Some(linger) = source.take(&["linger_timeout"]).filter(|linger| linger.value == "0") {
        table.push("linger_timeout", quote("0s"), linger.from());
    }
    if let Some(limit) = source.take(&["chunk_size_limit", "buffer_max_size"]) {
        draft.leave(limit.from(), "frame_bytes in [forward.limits] holds: 32MiB");
    }
}

/// `[forward.tls]`, from a `<transport tls>` or from keys with `tls.` before them.
fn tls(source: &mut Section, draft: &mut Draft) -> Option<Table> {
    let mut below = source.take_sections("transport").pop();
    let is_on = match &below {
        Some(below) => below.argument == "tls",
        None => source.take_truth(&["tls"]).unwrap_or(false),
    };
    let from = below.as_ref().map_or_else(|| source.from(), Section::from);
    let keys = below.as_mut().unwrap_or(source);
    let certificate = keys.take(&["cert_path", "tls.crt_file"]);
    let key = keys.take(&["private_key_path", "tls.key_file"]);
    let ca = keys.take(&["ca_path", "client_ca_path", "tls.ca_file"]);
    let asks = keys.take(&["client_cert_auth", "tls.verify_client_cert"]);
    let oldest = keys.take(&["min_version", "version", "tls.min_version"]);
    keys.pass_over(&["max_version", "tls.verify", "insecure", "protocol", "tls.debug"]);
    if let Some(below) = &below {
        draft.leave_rest(below);
    }
    if !is_on {
        return None;
    }
    let (Some(certificate), Some(key)) = (certificate, key) else {
        draft.leave(
            from,
            "TLS takes a certificate and its key from files: set certificate and key in [forward.tls]",
        );
        return None;
    };
    let mut table = Table::new("[forward.tls]", from);
    table.push(
        "certificate",
        quote(&draft.known(&certificate, "forward[0].tls.certificate")?),
        certificate.from(),
    );
    table.push("key", quote(&draft.known(&key, "forward[0].tls.key")?), key.from());
    if let Some(ca) = ca.filter(|_| asks.is_none_or(|asks| asks.is_on())) {
        table.push("client_ca_file", quote(&ca.value), ca.from());
    }
    if let Some(oldest) =
        oldest.filter(|oldest| oldest.value.ends_with("1_3") || oldest.value.ends_with("1.3"))
    {
        table.push("min_version", quote("1.3"), oldest.from());
    }
    Some(table)
}
