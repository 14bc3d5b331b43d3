//! `[forward.security]` and the tables below it: what clients of a listener have to prove, and what of it would lock
//! everybody out, or let somebody in by mistake.

use ipnet::IpNet;

use super::section::Section;
use crate::input::forward::{ClientOptions, SecurityOptions, UserOptions};

/// Reads or prints the handshake of one listener.
pub(super) fn security(section: &mut Section<'_>, options: &mut SecurityOptions) {
    section.secret("shared_key", &mut options.shared_key);
    section.key("self_hostname", &mut options.self_hostname);
    section.key("allow_anonymous", &mut options.allow_anonymous);
    section.tables("users", &mut options.users, user);
    section.tables("clients", &mut options.clients, client);
    refuse_keys(section, options);
    refuse_users(section, options);
    refuse_clients(section, &options.clients);
}

fn user(section: &mut Section<'_>, options: &mut UserOptions) {
    section.key("name", &mut options.name);
    section.secret("password", &mut options.password);
    if options.name.is_empty() {
        section.refuse(&["name", "password", "password_file"], "a user needs a name; set name");
    }
    if options.password.is_none() {
        section.refuse(&["password", "name"], "a user needs a password; set password or password_file");
    }
}

fn client(section: &mut Section<'_>, options: &mut ClientOptions) {
    let faults = section.faults();
    section.key("network", &mut options.network);
    section.key("host", &mut options.host);
    section.secret("shared_key", &mut options.shared_key);
    section.key("users", &mut options.users);
    match (&options.network, &options.host) {
        (Some(_), Some(_)) => {
            section.refuse(&["host"], "a client is a network or a host; make a table of each")
        }
        (None, None) if section.faults() == faults => section
            .refuse(&["network", "host", "shared_key", "users"], "it covers nobody; set network or host"),
        _ => {}
    }
}

/// Whoever is let in has a key to know.
fn refuse_keys(section: &mut Section<'_>, options: &SecurityOptions) {
    if !options.allow_anonymous && options.clients.is_empty() {
        let why = "lets nobody in without a [[forward.security.clients]]; add one, or take true";
        section.refuse(&["allow_anonymous"], why);
    }
    if options.shared_key.is_some() {
        return;
    }
    let is_begun = options.is_on() || options.self_hostname.is_some();
    if options.allow_anonymous && is_begun {
        let why =
            "there is no shared_key for clients that no table covers; set it, or allow_anonymous = false";
        section.refuse(&["shared_key", "shared_key_file", "clients", "users", "self_hostname"], why);
    }
    if let Some(index) = options.clients.iter().position(|client| client.shared_key.is_none()) {
        let why = format!("clients[{index}] has no key; set shared_key there or in [forward.security]");
        section.refuse(&["clients"], why);
    }
}

fn refuse_users(section: &mut Section<'_>, options: &SecurityOptions) {
    let names: Vec<&str> = options.users.iter().map(|user| user.name.as_str()).collect();
    for (index, name) in names.iter().enumerate() {
        if names.iter().take(index).any(|other| other == name) {
            section.refuse(&["users"], format!("`{name}` is there twice; a user has one password"));
        }
    }
    let named = options.clients.iter().flat_map(|client| &client.users);
    for name in named.filter(|name| !names.contains(&name.as_str())) {
        let why = format!("a table names the user `{name}`, who is not in [[forward.security.users]]");
        section.refuse(&["clients"], why);
    }
}

fn refuse_clients(section: &mut Section<'_>, clients: &[ClientOptions]) {
    let networks: Vec<IpNet> = clients.iter().filter_map(|client| client.network).collect();
    for (index, network) in networks.iter().enumerate() {
        if let Some(before) = networks.iter().take(index).find(|before| before.contains(network)) {
            let why = format!("`{network}` is never reached: `{before}` before it covers it; put it first");
            section.refuse(&["clients"], why);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use crate::config::{Config, Overrides, load};
    use crate::units::Secret;

    const NOTHING: [(&str, &str); 0] = [];

    /// The configuration of a listener with these lines in its `[forward.security]`, or the faults without the file's name.
    fn read(lines: &str) -> Result<Config, Vec<String>> {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        write!(file, "[[forward]]\n[forward.security]\n{lines}").expect("writing a temporary file");
        let name = format!("{}:", file.path().display());
        load(Some(file.path()), NOTHING, &Overrides::default())
            .map_err(|faults| faults.iter().map(|fault| fault.to_string().replace(&name, "")).collect())
    }

    const WHOLE: &str = "shared_key = \"hunter2\"\nself_hostname = \"logs\"\nallow_anonymous = false\n\
        [[forward.security.users]]\nname = \"web\"\npassword = \"hunter2\"\n\
        [[forward.security.users]]\nname = \"job\"\npassword = \"hunter2\"\n\
        [[forward.security.clients]]\nnetwork = \"10.1.0.0/16\"\nshared_key = \"hunter2\"\nusers = [\"web\", \"job\"]\n\
        [[forward.security.clients]]\nhost = \"shipper.example.com\"\n\
        [[forward.security.clients]]\nnetwork = \"::1\"\n";

    #[test]
    fn what_is_printed_reads_back_and_shows_no_secret() {
        let config = read(WHOLE).expect("a whole table");
        let security = &config.forward[0].security;
        assert_eq!((security.users.len(), security.clients.len()), (2, 3));
        assert_eq!(security.clients[0].users, ["web", "job"]);
        assert_eq!(security.clients[2].network, Some("::1/128".parse().expect("a network")));
        let printed = config.to_string();
        assert!(!format!("{printed}{config:?}").contains("hunter2"), "{printed}");
        let mut again = config.clone();
        again.forward[0].security.shared_key = Some(Secret::new("***"));
        again.forward[0].security.users.iter_mut().for_each(|user| user.password = Some(Secret::new("***")));
        again.forward[0].security.clients[0].shared_key = Some(Secret::new("***"));
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        write!(file, "{printed}").expect("writing a temporary file");
        assert_eq!(load(Some(file.path()), NOTHING, &Overrides::default()), Ok(again));
    }

    #[test]
    fn variables_reach_users_and_clients() {
        let security = "FOREBAY_FORWARD__0__SECURITY";
        let variables = [
            (format!("{security}__SHARED_KEY"), "k"),
            (format!("{security}__USERS__0__NAME"), "web"),
            (format!("{security}__USERS__0__PASSWORD"), "p"),
            (format!("{security}__CLIENTS__0__NETWORK"), "10.0.0.1"),
            (format!("{security}__CLIENTS__0__USERS"), "web"),
        ];
        let config = load(None, variables, &Overrides::default()).expect("variables");
        assert_eq!(config.forward[0].security.clients[0].users, ["web"]);
    }

    #[test]
    fn what_would_let_nobody_or_anybody_in_is_refused_with_advice() {
        let user = "[[forward.security.users]]\nname = \"web\"\npassword = \"p\"\n";
        let client = "[[forward.security.clients]]\n";
        for (lines, place, advice) in [
            (
                "self_hostname = \"logs\"\n".to_owned(),
                "3:17: forward[0].security.self_hostname:",
                "no shared_key",
            ),
            (user.to_owned(), "forward[0].security.users:", "no shared_key"),
            (
                format!("{client}network = \"10.0.0.0/8\"\nshared_key = \"k\"\n"),
                "clients:",
                "allow_anonymous = false",
            ),
            ("shared_key = \"k\"\nallow_anonymous = false\n".into(), "4:19:", "nobody"),
            (
                format!("allow_anonymous = false\n{client}network = \"10.0.0.0/8\"\n"),
                "security.clients:",
                "clients[0] has no key",
            ),
            (format!("shared_key = \"k\"\n{client}"), "clients[0].network:", "set network or host"),
            (
                format!("shared_key = \"k\"\n{client}network = \"10.0.0.0/8\"\nhost = \"a\"\n"),
                "6:8: forward[0].security.clients[0].host:",
                "a table of each",
            ),
            (format!("shared_key = \"k\"\n{client}network = \"10.0.0.0/33\"\n"), "5:11:", "10.1.0.0/16"),
            (
                format!(
                    "shared_key = \"k\"\n{client}network = \"10.0.0.0/8\"\n{client}network = \"10.1.0.0/16\"\n"
                ),
                "clients:",
                "put it first",
            ),
            (format!("shared_key = \"k\"\n{client}host = \"a\"\nusers = \"bob\"\n"), "clients:", "`bob`"),
            (format!("shared_key = \"k\"\n{user}{user}"), "users:", "twice"),
            (
                "shared_key = \"k\"\n[[forward.security.users]]\nname = \"web\"\n".into(),
                "users[0].name:",
                "password_file",
            ),
            (
                "shared_key = \"k\"\n[[forward.security.users]]\npassword = \"hunter2\"\n".into(),
                "users[0].password:",
                "set name",
            ),
        ] {
            let faults = read(&lines).expect_err(&lines);
            assert_eq!(faults.len(), 1, "{lines}\n{faults:?}");
            assert!(faults[0].contains(place) && faults[0].contains(advice), "{lines}\n{faults:?}");
            assert!(!faults[0].contains("hunter2"), "{faults:?}");
        }
    }
}
