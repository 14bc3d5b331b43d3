//! What `check` can try on this host: to write where the data lives, and to bind where the daemon would listen.
//! Nothing is left behind.

use std::fs::{self, OpenOptions};
use std::io::{Error, ErrorKind};
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::words::size;
use crate::buffer::file_system;
use crate::config::Config;
use crate::input::forward::{self, ForwardOptions, SocketStanding, Standing, Validity};

/// One thing that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// Whether it is as it should be.
    pub(super) ok: bool,
    /// The key it is about.
    pub(super) about: String,
    /// What was found and, where it is wrong, what to do.
    pub(super) text: String,
}

/// Whether files can be written in the data directory and in those that stand apart from it.
pub(super) fn folders(config: &Config) -> Vec<Finding> {
    let apart = [
        ("dead_letters.directory", config.dead_letters.directory.as_deref()),
        ("file.directory", config.file.directory.as_deref()),
    ];
    let apart = apart.into_iter().filter_map(|(about, directory)| Some(folder(about, directory?)));
    std::iter::once(folder("data_dir", &config.data_dir)).chain(room(config)).chain(apart).collect()
}

/// What keeps the buffer from its disk although it can be written to, if anything does.
fn room(config: &Config) -> Option<Finding> {
    let (_, place) = nearest(&config.data_dir);
    // why: a file system that cannot be asked is told of by what cannot be written there.
    let (free, total) = file_system(&place).ok()?;
    let must_stay_free = config.buffer.must_stay_free(total);
    if free > must_stay_free {
        return None;
    }
    let (free, rest) = (size(free), size(must_stay_free));
    let text = format!(
        "{free} are free in `{}` and {rest} must stay free, by this key and buffer.min_free_percent: nothing can be \
         spilled, and no ack is sent for what the target has not taken",
        place.display()
    );
    Some(Finding { ok: false, about: "buffer.min_free".into(), text })
}

/// Whether files can be written in `directory`, or where it would be made.
fn folder(about: &str, directory: &Path) -> Finding {
    let (there, place) = nearest(directory);
    let shown = directory.display();
    let (ok, text) = match (write(&place), there) {
        (Ok(()), true) => (true, format!("`{shown}` can be written")),
        (Ok(()), false) => (true, format!("`{shown}` is not there yet and can be made")),
        (Err(error), _) => (false, format!("cannot write in `{}`: {error}", place.display())),
    };
    Finding { ok, about: about.into(), text }
}

/// Whether a directory is there, and the nearest above it that is.
fn nearest(directory: &Path) -> (bool, PathBuf) {
    let found = directory.ancestors().find(|path| path.exists());
    let place = found.map_or_else(|| PathBuf::from("."), Path::to_path_buf);
    let place = if place.as_os_str().is_empty() { PathBuf::from(".") } else { place };
    (found == Some(directory), place)
}

fn write(directory: &Path) -> Result<(), Error> {
    let file = directory.join(format!(".forebay-check-{}", std::process::id()));
    OpenOptions::new().write(true).create_new(true).open(&file)?;
    fs::remove_file(&file)
}

/// Whether each address can be bound, all of them at once.
pub(super) fn listeners(config: &Config) -> Vec<Finding> {
    let (mut held, mut found) = (Vec::new(), Vec::new());
    for (index, one) in config.forward.iter().enumerate() {
        let about = |key: &str| format!("forward[{index}].{key}");
        match one.unix_path() {
            Some(path) => found.push(unix(about("listen"), path)),
            None => {
                found.push(bind(about("listen"), &one.listen, &mut held));
                found.extend(heartbeat(about("udp_heartbeat"), one, held.last()));
            }
        }
    }
    if !config.http.listen.is_empty() {
        found.push(bind("http.listen".into(), &config.http.listen, &mut held));
    }
    found
}

/// Whether `address` can be bound. What is bound is `held`, so that two that want the same are told.
fn bind(about: String, address: &str, held: &mut Vec<TcpListener>) -> Finding {
    let (ok, text) = match TcpListener::bind(address) {
        Ok(listener) => {
            held.push(listener);
            (true, format!("`{address}` can be bound"))
        }
        Err(error) => (false, format!("cannot bind `{address}`: {error}{}", advice(&error))),
    };
    Finding { ok, about, text }
}

/// What keeps UDP heartbeats from being answered beside a TCP socket that can be bound, if anything does.
fn heartbeat(about: String, options: &ForwardOptions, beside: Option<&TcpListener>) -> Option<Finding> {
    let address = beside.filter(|_| options.udp_heartbeat)?.local_addr().ok()?;
    let error = UdpSocket::bind(address).err()?;
    let text = format!(
        "cannot bind the UDP port `{address}`: {error}; a start goes on without it, and `udp_heartbeat = false` \
         keeps it quiet"
    );
    Some(Finding { ok: false, about, text })
}

/// Whether a unix socket can be made at `path`. Nothing is made: somebody might already connect to it.
fn unix(about: String, path: &Path) -> Finding {
    let shown = path.display();
    let (_, directory) = nearest(path.parent().unwrap_or(Path::new(".")));
    let (ok, text) = match (SocketStanding::of(path), write(&directory)) {
        (Err(fault), _) => (false, format!("cannot listen on `{shown}`: {fault}")),
        (Ok(_), Err(error)) => (false, format!("cannot make a socket in `{}`: {error}", directory.display())),
        (Ok(SocketStanding::Free), Ok(())) => (true, format!("`{shown}` can be made")),
        (Ok(SocketStanding::Stale), Ok(())) => (true, format!("`{shown}` is stale and can be replaced")),
    };
    Finding { ok, about, text }
}

fn advice(error: &Error) -> &'static str {
    match error.kind() {
        ErrorKind::AddrInUse => "; is a daemon running there already?",
        ErrorKind::AddrNotAvailable => "; it is no address of this host",
        ErrorKind::PermissionDenied => "; a port below 1024 takes CAP_NET_BIND_SERVICE",
        _ => "",
    }
}

/// Whether the certificates of listeners with TLS can be used, and until when.
pub(super) fn certificates(config: &Config) -> Vec<Finding> {
    let look = |(index, one): (usize, &ForwardOptions)| {
        let (ok, text) = match forward::examine(&one.tls) {
            Ok(None) => return None,
            Ok(Some(validity)) => certificate(validity),
            Err(fault) => (false, fault.to_string()),
        };
        Some(Finding { ok, about: format!("forward[{index}].tls"), text })
    };
    config.forward.iter().enumerate().filter_map(look).collect()
}

fn certificate(validity: Validity) -> (bool, String) {
    let Validity { not_before, not_after } = validity;
    match validity.at(Timestamp::now()) {
        Standing::Valid => (true, format!("the certificate fits its key and is valid until {not_after}")),
        Standing::NotYetValid => {
            (false, format!("the certificate is not valid before {not_before}: senders will refuse it"))
        }
        Standing::Expired => {
            (false, format!("the certificate expired at {not_after}: senders will refuse it"))
        }
    }
}

/// Where documents go when no target is configured.
pub(super) fn no_target(config: &Config) -> Finding {
    let text = format!(
        "none: documents go to files in `{}`; `--elasticsearch URL`, the key or FOREBAY_ELASTICSEARCH__HOSTS \
         sends them to Elasticsearch",
        config.documents_dir().display()
    );
    Finding { ok: true, about: "elasticsearch.hosts".into(), text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::HttpOptions;

    #[test]
    fn a_directory_that_can_be_made_is_good_and_is_not_made() {
        let root = tempfile::tempdir().expect("a directory");
        let below = root.path().join("a/b");
        for directory in [root.path(), &below] {
            let finding = folder("data_dir", directory);
            assert!(finding.ok, "{finding:?}");
        }
        assert_eq!(fs::read_dir(root.path()).expect("the directory").count(), 0);
    }

    #[test]
    fn a_file_system_with_less_free_than_must_stay_free_is_told() {
        let mut config = Config { data_dir: std::env::temp_dir().join("none"), ..Config::default() };
        for (min_free, told) in [(0, 0), (u64::MAX, 1)] {
            config.buffer.min_free = crate::units::ByteSize(min_free);
            let found = folders(&config);
            let about: Vec<_> = found.iter().filter(|finding| finding.about == "buffer.min_free").collect();
            assert_eq!(about.len(), told, "{found:?}");
            assert!(
                about.iter().all(|finding| !finding.ok && finding.text.contains("nothing can be spilled"))
            );
        }
    }

    #[test]
    fn a_file_in_the_place_of_a_directory_is_told() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let mut config = Config { data_dir: std::env::temp_dir(), ..Config::default() };
        config.dead_letters.directory = Some(file.path().into());
        let found = folders(&config);
        let wrong: Vec<_> = found.iter().filter(|finding| !finding.ok).collect();
        assert_eq!(wrong.len(), 1, "{found:?}");
        assert_eq!(wrong[0].about, "dead_letters.directory");
        assert!(wrong[0].text.contains(&*file.path().to_string_lossy()), "{found:?}");
    }

    #[test]
    fn an_address_in_use_is_told_and_a_free_one_is_good() {
        let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
        let listen = taken.local_addr().expect("its address").to_string();
        let forward = vec![ForwardOptions { listen, ..ForwardOptions::default() }];
        let http = HttpOptions { listen: "127.0.0.1:0".into() };
        let config = Config { forward, http, ..Config::default() };
        let found = listeners(&config);
        assert_eq!(found.iter().map(|finding| finding.ok).collect::<Vec<_>>(), [false, true], "{found:?}");
        assert!(found[0].text.contains("running there already"), "{found:?}");
    }

    #[test]
    fn a_unix_socket_is_looked_at_and_not_made() {
        let root = tempfile::tempdir().expect("a directory");
        let path = |name: &str| root.path().join(name);
        let live = std::os::unix::net::UnixListener::bind(path("live")).expect("a socket");
        drop(std::os::unix::net::UnixListener::bind(path("stale")).expect("a socket"));
        fs::write(path("file"), "").expect("a file");
        for (name, ok, told) in [
            ("free", true, "can be made"),
            ("stale", true, "can be replaced"),
            ("live", false, "running already"),
            ("file", false, "no socket"),
            ("none/s", false, "make it first"),
        ] {
            let finding = unix("forward[0].listen".into(), &path(name));
            assert_eq!(finding.ok, ok, "{finding:?}");
            assert!(finding.text.contains(told), "{finding:?}");
        }
        drop(live);
        assert_eq!(fs::read_dir(root.path()).expect("the directory").count(), 3);
    }

    #[test]
    fn a_udp_port_that_is_taken_is_told() {
        // One of which only the UDP half is taken: whoever else is at work here may have the other.
        let taken = std::iter::repeat_with(|| UdpSocket::bind("127.0.0.1:0").expect("a port"))
            .find(|taken| TcpListener::bind(taken.local_addr().expect("its address")).is_ok())
            .expect("there is one");
        let listen = taken.local_addr().expect("its address").to_string();
        let forward = vec![ForwardOptions { listen, ..ForwardOptions::default() }];
        let http = HttpOptions { listen: String::new() };
        let mut config = Config { forward, http, ..Config::default() };
        let found = listeners(&config);
        assert_eq!(found.iter().map(|finding| finding.ok).collect::<Vec<_>>(), [true, false], "{found:?}");
        config.forward[0].udp_heartbeat = false;
        assert_eq!(listeners(&config).len(), 1);
    }
}
