//! A listener for the forward protocol, of Fluentd's `forward` and of Fluent Bit's: address, TLS, and what clients have
//! to prove.

use super::draft::{Draft, Table};
use super::section::{Entry, Section};
use super::words::{list, quote};

/// Carries a listener over, whose nested sections are moved up or left below as each of the two has them.
pub(super) fn forward(mut source: Section, draft: &mut Draft) {
    let from = source.from();
    let index = draft.listeners.len();
    let mut table = Table::new("[[forward]]", from.clone());
    let mut security = security(&mut source, index, draft);
    listen(&mut source, security.is_none(), &mut table);
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

/// A unix socket, or an address. One whose key is not known here listens on loopback: nobody is let in by mistake.
fn listen(source: &mut Section, is_open_by_mistake: bool, table: &mut Table) {
    let path = source.take(&["unix_path", "path"]);
    let (bind, port) = (source.take(&["bind", "listen"]), source.take(&["port"]));
    if let Some(path) = path {
        table.push("listen", quote(&format!("unix:{}", path.value)), path.from());
        return;
    }
    let from = bind.as_ref().or(port.as_ref()).map_or_else(|| source.from(), Entry::from);
    let port = port.and_then(|port| port.value.parse::<u16>().ok()).unwrap_or(24224);
    let bind = bind.map_or_else(|| "0.0.0.0".to_owned(), |bind| bind.value);
    let bind = if bind.contains(['#', '$']) || bind.is_empty() { "0.0.0.0".to_owned() } else { bind };
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

/// `[forward.security]` and what is below it: no tables where nothing is asked, none at all where the key is not known.
fn security(source: &mut Section, index: usize, draft: &mut Draft) -> Option<Vec<Table>> {
    let mut below = source.take_sections("security").pop();
    let keys = below.as_mut().unwrap_or(source);
    let Some(shared_key) = keys.take(&["shared_key"]) else {
        keys.pass_over(&["self_hostname"]);
        return Some(Vec::new());
    };
    let key = draft.known(&shared_key, &format!("forward[{index}].security.shared_key"))?;
    let mut table = Table::new("[forward.security]", shared_key.from());
    table.push("shared_key", quote(&key), shared_key.from());
    if let Some(name) = keys.take(&["self_hostname"]) {
        if let Some(known) = draft.known(&name, &format!("forward[{index}].security.self_hostname")) {
            table.push("self_hostname", quote(&known), name.from());
        }
    }
    let users = users(keys, draft);
    let clients = clients(keys, users.is_empty(), draft);
    if let Some(anonymous) = keys.take(&["allow_anonymous_source"]) {
        if !anonymous.is_on() && !clients.is_empty() {
            table.push("allow_anonymous", "false".into(), anonymous.from());
        }
    }
    keys.pass_over(&["empty_shared_key"]);
    if let Some(below) = &below {
        draft.leave_rest(below);
    }
    Some(std::iter::once(table).chain(users).chain(clients).collect())
}

fn users(keys: &mut Section, draft: &mut Draft) -> Vec<Table> {
    let asks = keys.take_truth(&["user_auth"]).unwrap_or(false);
    let mut found = Vec::new();
    for mut user in keys.take_sections("user").into_iter().filter(|_| asks) {
        if let (Some(name), Some(password)) = (user.take(&["username"]), user.take(&["password"])) {
            found.push((user.from(), name.value.clone(), password));
        }
    }
    for entry in keys.take_all("security.users") {
        if let Some((name, password)) = entry.value.split_once(char::is_whitespace) {
            found.push((
                entry.from(),
                name.to_owned(),
                Entry { value: password.trim().to_owned(), ..entry.clone() },
            ));
        }
    }
    let mut tables: Vec<Table> = Vec::new();
    for (from, name, password) in found {
        let name = quote(&name);
        let is_there = tables.iter().any(|table| table.lines.iter().any(|line| line.value == name));
        match draft.known(&password, "forward[0].security.users[0].password") {
            Some(password) if !is_there => {
                let mut table = Table::new("[[forward.security.users]]", from.clone());
                table.push("name", name, from.clone());
                table.push("password", quote(&password), from);
                tables.push(table);
            }
            _ => draft.leave(from, "a user has one name and one password that is known"),
        }
    }
    tables
}

fn clients(keys: &mut Section, has_no_users: bool, draft: &mut Draft) -> Vec<Table> {
    let mut tables = Vec::new();
    for mut client in keys.take_sections("client") {
        let from = client.from();
        let mut table = Table::new("[[forward.security.clients]]", from.clone());
        match (client.take(&["network"]), client.take(&["host"])) {
            (Some(network), _) if network.value.parse::<ipnet::IpNet>().is_ok() => {
                table.push("network", quote(&network.value), network.from());
            }
            (_, Some(host)) => table.push("host", quote(&host.value), host.from()),
            _ => {
                draft.leave(from, "it names no network and no host");
                continue;
            }
        }
        if let Some(entry) = client.take(&["shared_key"]) {
            if let Some(key) = draft.known(&entry, "forward[0].security.clients[0].shared_key") {
                table.push("shared_key", quote(&key), entry.from());
            }
        }
        if let Some(users) = client.take(&["users"]).filter(|_| !has_no_users) {
            let names: Vec<&str> = users.value.split(',').map(str::trim).collect();
            table.push("users", list(&names), users.from());
        }
        draft.leave_rest(&client);
        tables.push(table);
    }
    tables
}
