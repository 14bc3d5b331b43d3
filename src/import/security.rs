//! What clients of a listener have to prove: shared keys, users, and networks with keys of their own.

use super::draft::{Draft, Table};
use super::section::{Entry, Section};
use super::words::{list, quote};

/// `[forward.security]` and what is below it: no tables where nothing is asked, none at all where the key is not known.
pub(super) fn security(source: &mut Section, index: usize, draft: &mut Draft) -> Option<Vec<Table>> {
    let mut below = source.take_sections("security").pop();
    let keys = below.as_mut().unwrap_or(source);
    let Some(shared_key) = keys.take(&["shared_key"]) else {
        keys.pass_over(&["self_hostname"]);
        return Some(Vec::new());
    };
    let key = draft.known(&shared_key, &format!("forward[{index}].security.shared_key"))?;
    let mut table = Table::new("[forward.security]", shared_key.from());
    table.push("shared_key", quote(&key), shared_key.from());
    if let Some(name) = keys.take(&["self_hostname"])
        && let Some(known) = draft.known(&name, &format!("forward[{index}].security.self_hostname"))
    {
        table.push("self_hostname", quote(&known), name.from());
    }
    let users = users(keys, draft);
    let clients = clients(keys, &users, draft);
    if let Some(anonymous) = keys.take(&["allow_anonymous_source"]) {
        if anonymous.is_on() {
            table.push("allow_anonymous", "true".into(), anonymous.from());
        } else if clients.is_empty() {
            draft.leave(
                anonymous.from(),
                "it would let nobody in, as no <client> is carried; those with the key are",
            );
        } else {
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

fn clients(keys: &mut Section, known: &[Table], draft: &mut Draft) -> Vec<Table> {
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
        if let Some(entry) = client.take(&["shared_key"])
            && let Some(key) = draft.known(&entry, "forward[0].security.clients[0].shared_key")
        {
            table.push("shared_key", quote(&key), entry.from());
        }
        if let Some(users) = client.take(&["users"]) {
            let is_known =
                |name: &&str| known.iter().flat_map(|user| &user.lines).any(|line| line.value == quote(name));
            let names: Vec<&str> = users.value.split(',').map(str::trim).filter(is_known).collect();
            if !names.is_empty() {
                table.push("users", list(&names), users.from());
            } else if !known.is_empty() {
                draft.leave(
                    users.from(),
                    "it names no user whose password is known: write the client's table",
                );
                continue;
            }
        }
        draft.leave_rest(&client);
        tables.push(table);
    }
    tables
}
