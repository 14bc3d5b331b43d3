//! What a value has to fulfil beyond its type. Each check says what would be right.

use std::io::Read;
use std::time::Duration;

use tracing_subscriber::EnvFilter;
use url::Url;

use crate::encode::IndexTemplate;
use crate::enrich::Multiline;
use crate::event::Pattern;
use crate::input::forward::{ForwardOptions, MAX_PATH, Owner};

use super::setting::Setting;

/// What a check says: nothing, or what is wrong.
pub(super) type Checked = Result<(), String>;

/// No smaller than `least`.
pub(super) fn at_least<T: Setting + PartialOrd>(least: T) -> impl Fn(&T) -> Checked {
    move |value| {
        let too_small = || format!("{} is too little; take {} or more", value.print(), least.print());
        if *value >= least { Ok(()) } else { Err(too_small()) }
    }
}

/// A part of a whole that leaves something of it.
pub(super) fn percent(percent: &u64) -> Checked {
    if *percent < 100 { Ok(()) } else { Err(format!("{percent} leaves nothing to use; take 99 or less")) }
}

/// `ADDRESS:PORT`, as a socket is bound to it.
pub(super) fn listen(address: &str) -> Checked {
    let (host, port) = address
        .rsplit_once(':')
        .ok_or_else(|| format!("`{address}` is not ADDRESS:PORT such as \"127.0.0.1:24224\""))?;
    if port.parse::<u16>().is_err() {
        return Err(format!("`{port}` is not a port: a number up to 65535"));
    }
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    match bare {
        Some(bare) if bare.parse::<std::net::Ipv6Addr>().is_err() => {
            Err(format!("`{bare}` is not an IPv6 address"))
        }
        None if host.is_empty() => {
            Err(format!("`{address}` names no address; \"0.0.0.0:{port}\" listens on all"))
        }
        None if host.contains(':') => Err(format!("an IPv6 address goes into brackets: \"[{host}]:{port}\"")),
        _ => Ok(()),
    }
}

/// As [`listen`], or `unix:PATH`.
pub(super) fn listen_or_unix(address: &str) -> Checked {
    let options = ForwardOptions { listen: address.to_owned(), ..ForwardOptions::default() };
    match options.unix_path() {
        Some(path) if path.as_os_str().is_empty() => {
            Err(format!("`{address}` names no path; write \"unix:/run/forebay/forward.sock\""))
        }
        Some(path) if path.as_os_str().len() > MAX_PATH => {
            let length = path.as_os_str().len();
            Err(format!("a socket's path has {MAX_PATH} bytes at most, and this one has {length}"))
        }
        Some(_) => Ok(()),
        None => listen(address),
    }
}

/// What stands before tags: the dot between is put there.
pub(super) fn tag_prefix(prefix: &String) -> Checked {
    if prefix.ends_with('.') {
        Err(format!("`{prefix}` ends with a dot, and one is added; leave it out"))
    } else {
        Ok(())
    }
}

/// A user and a group of this host, where any is named.
pub(super) fn owner(owner: &Option<String>) -> Checked {
    owner.as_deref().map_or(Ok(()), |owner| Owner::find(owner).map(drop))
}

/// No time at all, or none: closing a socket that waits would stop a thread that serves others.
pub(super) fn linger(time: &Option<Duration>) -> Checked {
    match time {
        Some(time) if !time.is_zero() => Err(format!(
            "{} would hold up other connections; \"0s\" resets, \"\" lets what was sent arrive",
            time.print()
        )),
        _ => Ok(()),
    }
}

/// Between two values, both of them included.
pub(super) fn between<T: Setting + PartialOrd>(least: T, most: T) -> impl Fn(&T) -> Checked {
    move |value| {
        let outside = || format!("{} is not between {} and {}", value.print(), least.print(), most.print());
        if *value >= least && *value <= most { Ok(()) } else { Err(outside()) }
    }
}

/// The name of a field that is added, where there is one.
pub(super) fn added_field(name: &Option<String>) -> Checked {
    match name.as_deref() {
        Some("@timestamp") => Err("`@timestamp` is the event's time; choose another name".into()),
        _ => Ok(()),
    }
}

/// As [`listen`], or empty for none.
pub(super) fn listen_or_none(address: &str) -> Checked {
    if address.is_empty() { Ok(()) } else { listen(address) }
}

/// The levels of the daemon's own log.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// A filter of the daemon's own log. A bare word has to be a level: the filter's own reading would take a
/// misspelt level for the name of a module, and go quiet.
pub(super) fn level(filter: &str) -> Checked {
    if filter.trim().is_empty() {
        return Err("is empty; \"off\" silences the log".into());
    }
    let bare = |directive: &&str| !directive.contains(['=', '[', ':']);
    let directives = filter.split(',').map(str::trim);
    let is_level = |word: &str| LEVELS.iter().any(|level| level.eq_ignore_ascii_case(word));
    if let Some(word) = directives.filter(bare).find(|word| !is_level(word)) {
        return Err(format!("`{word}` is not a level: {}", LEVELS.join(", ")));
    }
    EnvFilter::try_new(filter).map(drop).map_err(|error| format!("`{filter}` is not a filter: {error}"))
}

/// A pattern of tags, or several.
pub(super) fn tag_pattern(pattern: &str) -> Checked {
    pattern.parse::<Pattern>().map(drop).map_err(|fault| fault.to_string())
}

/// Patterns of lines that belong together.
pub(super) fn multiline(multiline: &Multiline) -> Checked {
    multiline.check().map_err(|fault| fault.to_string())
}

/// A template of index names.
pub(super) fn index(template: &str) -> Checked {
    template.parse::<IndexTemplate>().map(drop).map_err(|fault| fault.to_string())
}

/// As [`index`], where there is one.
pub(super) fn optional_index(template: &Option<String>) -> Checked {
    template.as_deref().map_or(Ok(()), index)
}

/// Fields that pipelines add have names, and `@timestamp` is the event's own.
pub(super) fn fields(fields: &[(String, String)]) -> Checked {
    match fields.iter().find(|(name, _)| name.is_empty() || name == "@timestamp") {
        Some((name, _)) if name.is_empty() => Err("a field without a name cannot be stored".into()),
        Some((name, _)) => Err(format!("`{name}` is the event's time; choose another name")),
        None => Ok(()),
    }
}

/// No host twice: it would get twice its share.
pub(super) fn hosts(hosts: &[Url]) -> Checked {
    let same = |a: &Url, b: &Url| {
        a.host() == b.host() && a.port_or_known_default() == b.port_or_known_default() && a.path() == b.path()
    };
    let twice = hosts.iter().enumerate().find(|(index, url)| hosts.iter().take(*index).any(|b| same(url, b)));
    match twice {
        Some((_, url)) => Err(format!("`{}` is named twice", url.host_str().unwrap_or_default())),
        None => Ok(()),
    }
}

/// Some text.
pub(super) fn not_empty(text: &str) -> Checked {
    if text.is_empty() { Err("is empty".into()) } else { Ok(()) }
}

/// A file that can be read, where one is named. A directory can be opened, but not read.
pub(super) fn readable(path: &Option<std::path::PathBuf>) -> Checked {
    let Some(path) = path else { return Ok(()) };
    let read = std::fs::File::open(path).and_then(|mut file| file.read(&mut [0]));
    read.map(drop).map_err(|error| format!("cannot read `{}`: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_no_socket_takes_is_refused_with_what_would_do() {
        for (address, advice) in [
            ("24224", "127.0.0.1:24224"),
            (":24224", "0.0.0.0:24224"),
            ("::1:24224", "[::1]:24224"),
            ("localhost:http", "65535"),
            ("[nonsense]:1", "IPv6"),
        ] {
            let fault = listen(address).expect_err(address);
            assert!(fault.contains(advice), "{fault}");
        }
        for address in ["127.0.0.1:0", "[::]:24224", "localhost:24224"] {
            assert_eq!(listen(address), Ok(()), "{address}");
        }
    }

    #[test]
    fn a_unix_socket_has_a_path_that_a_socket_can_have() {
        for address in ["unix:/run/forebay/forward.sock", "unix:///run/f.sock", "unix:f.sock", "127.0.0.1:0"]
        {
            assert_eq!(listen_or_unix(address), Ok(()), "{address}");
        }
        let long = format!("unix:/{}", "x".repeat(MAX_PATH));
        for (address, advice) in
            [("unix:", "unix:/run"), (long.as_str(), "107 bytes at most"), ("unix", "ADDRESS:PORT")]
        {
            let fault = listen_or_unix(address).expect_err(address);
            assert!(fault.contains(advice), "{fault}");
        }
    }

    #[test]
    fn a_misspelt_level_is_refused() {
        for filter in ["wran", "info,forebay::output=loud", "", "info,,debug"] {
            assert!(level(filter).is_err(), "{filter}");
        }
        for filter in ["warn", "INFO", "info,forebay::output=debug", "off"] {
            assert_eq!(level(filter), Ok(()), "{filter}");
        }
    }

    #[test]
    fn a_directory_is_no_file_that_can_be_read() {
        let directory = tempfile::tempdir().expect("a directory");
        let fault = readable(&Some(directory.path().into())).expect_err("a directory");
        assert!(fault.contains(&*directory.path().to_string_lossy()), "{fault}");
    }
}
