//! A listening unix socket: a file that is made, given to its owner, and removed again.
//!
//! Promises: nobody who may not connect in the end can connect before; a socket that nobody answers on any more is
//! replaced, anything else in its place is left alone and refuses the start; what is removed at the end is what was made.

use std::fmt;
use std::fs;
use std::io::{Error, ErrorKind};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener as StdListener;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, Uid};
use socket2::{Domain, SockAddr, Socket, Type};
use tokio::net::UnixListener;

use super::owner::Owner;
use super::socket::SocketOptions;

/// Bytes of a socket's path, at most: the system's own number, but for the end of the text.
pub const MAX_PATH: usize = 107;

/// The permissions of a socket, as `chmod` takes them in octal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnixMode(pub u32);

impl std::str::FromStr for UnixMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_octal = !text.is_empty() && text.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
        let mode = if is_octal { u32::from_str_radix(text, 8).ok() } else { None };
        let mode = mode.filter(|mode| *mode <= 0o777);
        mode.map(Self).ok_or_else(|| format!("`{text}` is not a mode in octal such as \"0660\""))
    }
}

impl fmt::Display for UnixMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

/// Why a path cannot be listened on. All of it is for an operator to mend.
#[derive(Debug, thiserror::Error)]
pub enum UnixFault {
    /// A live socket is there.
    #[error("a process answers there; is a daemon running already?")]
    Live,
    /// Something else is there.
    #[error("a file that is no socket is there; remove it, or choose another path")]
    OtherFile,
    /// The directory is missing.
    #[error("the directory `{}` is not there; make it first", .0.display())]
    NoDirectory(PathBuf),
    /// The owner is not known.
    #[error("unix_owner: {0}")]
    Owner(String),
    /// The system refused a step.
    #[error("cannot {what}: {error}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        error: Error,
    },
}

/// What stands in a path's place, where it can be listened on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketStanding {
    /// Nothing.
    Free,
    /// A socket that nobody answers on: left behind by a process that was killed.
    Stale,
}

impl SocketStanding {
    /// Looks at `path`, and asks whoever may listen there. Nothing is changed.
    pub fn of(path: &Path) -> Result<Self, UnixFault> {
        match fs::symlink_metadata(path) {
            Ok(found) if !found.file_type().is_socket() => Err(UnixFault::OtherFile),
            Ok(_) => ask(path),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
                match parent.filter(|parent| !parent.is_dir()) {
                    Some(parent) => Err(UnixFault::NoDirectory(parent.into())),
                    None => Ok(Self::Free),
                }
            }
            Err(error) => Err(UnixFault::System { what: "look at what is there", error }),
        }
    }
}

/// Whether somebody listens on the socket at `path`. Does not wait where its backlog is full.
fn ask(path: &Path) -> Result<SocketStanding, UnixFault> {
    let fault = |error| UnixFault::System { what: "ask whether somebody answers there", error };
    let socket = Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None).map_err(fault)?;
    match socket.connect(&SockAddr::unix(path).map_err(fault)?) {
        Ok(()) => Err(UnixFault::Live),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Err(UnixFault::Live),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(SocketStanding::Stale),
        // Gone since it was looked at.
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(SocketStanding::Free),
        Err(error) => Err(fault(error)),
    }
}

/// A socket's file; removed when this is dropped, unless another has taken its place.
pub(super) struct SocketFile {
    path: PathBuf,
    identity: Identity,
}

/// Device, inode, and when it was made: an inode's number is soon given again, and nobody writes to a socket's.
type Identity = (u64, u64, i64, i64);

fn identity(path: &Path) -> Result<Identity, Error> {
    let found = fs::symlink_metadata(path)?;
    Ok((found.dev(), found.ino(), found.mtime(), found.mtime_nsec()))
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|found| found == self.identity)
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "a socket's file stays behind");
        }
    }
}

/// Binds `path` and listens, with the owner and mode that `options` have. To be called on a runtime.
pub(super) fn listen(path: &Path, options: &SocketOptions) -> Result<(UnixListener, SocketFile), UnixFault> {
    let fault = |what| move |error| UnixFault::System { what, error };
    let owner = options.unix_owner.as_deref().map(Owner::find).transpose().map_err(UnixFault::Owner)?;
    if SocketStanding::of(path)? == SocketStanding::Stale {
        tracing::info!(path = %path.display(), "a socket that nobody answers on is replaced");
        fs::remove_file(path).map_err(fault("remove the stale socket"))?;
    }
    let socket =
        Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None).map_err(fault("make a socket"))?;
    // why: the file gets the mode that the socket has when it is bound, so there is no moment at which others can connect.
    rustix::fs::fchmod(&socket, Mode::RUSR | Mode::WUSR)
        .map_err(|error| fault("set the mode of a socket")(error.into()))?;
    let address = SockAddr::unix(path).map_err(fault("take the path"))?;
    socket.bind(&address).map_err(fault("bind it"))?;
    let identity = identity(path).map_err(fault("find the socket again"))?;
    let file = SocketFile { path: path.into(), identity };
    give(path, owner, options.unix_mode)?;
    socket.listen(i32::try_from(options.backlog).unwrap_or(i32::MAX)).map_err(fault("listen"))?;
    let listener = UnixListener::from_std(StdListener::from(OwnedFd::from(socket)));
    Ok((listener.map_err(fault("listen"))?, file))
}

/// Gives the socket at `path` its owner and its mode.
///
/// why: by a handle that follows no link. Whoever may write in the directory could put a link to a file of the system in
/// the socket's place meanwhile, and be given that instead.
fn give(path: &Path, owner: Option<Owner>, mode: UnixMode) -> Result<(), UnixFault> {
    let fault = |what| move |error| UnixFault::System { what, error };
    let this_very_file = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::open(path, this_very_file, Mode::empty());
    let file = file.map_err(|error| fault("find the socket again")(error.into()))?;
    let kind = rustix::fs::fstat(&file).map(|found| FileType::from_raw_mode(found.st_mode));
    if !kind.is_ok_and(|kind| kind.is_socket()) {
        return Err(UnixFault::OtherFile);
    }
    if let Some(Owner { user, group }) = owner {
        let (user, group) = (user.map(Uid::from_raw), group.map(Gid::from_raw));
        rustix::fs::chownat(file.as_fd(), "", user, group, AtFlags::EMPTY_PATH)
            .map_err(|error| fault("give it to unix_owner")(error.into()))?;
    }
    // A handle of this kind takes no mode; its name in /proc does.
    let name = format!("/proc/self/fd/{}", file.as_raw_fd());
    fs::set_permissions(name, fs::Permissions::from_mode(mode.0)).map_err(fault("set unix_mode"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> SocketOptions {
        SocketOptions::default()
    }

    #[test]
    fn a_mode_is_octal_and_printed_as_it_is_read() {
        for text in ["0660", "0600", "0777", "0000"] {
            assert_eq!(text.parse::<UnixMode>().expect(text).to_string(), text);
        }
        assert_eq!("660".parse(), Ok(UnixMode(0o660)));
        for text in ["", "0o660", "rw-rw----", "0888", "1777", "+660", "77777777777777"] {
            assert!(text.parse::<UnixMode>().expect_err(text).contains("0660"));
        }
    }

    #[tokio::test]
    async fn a_socket_has_its_mode_is_replaced_when_stale_and_left_alone_when_live() {
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join("s");
        let mode = |path: &Path| fs::metadata(path).expect("a file").permissions().mode() & 0o777;
        let (live, file) = listen(&path, &options()).expect("a socket");
        assert_eq!(mode(&path), 0o660);
        assert!(matches!(listen(&path, &options()), Err(UnixFault::Live)));
        drop(live);
        assert_eq!(SocketStanding::of(&path).expect("can be told"), SocketStanding::Stale);
        // So that the next one, which is made at the same moment, does not get the same inode.
        fs::hard_link(&path, folder.path().join("kept")).expect("a second name");
        let open = SocketOptions { unix_mode: UnixMode(0o606), ..options() };
        let (_second, second_file) = listen(&path, &open).expect("the stale one is replaced");
        assert_eq!(mode(&path), 0o606);
        drop(file);
        assert!(path.exists(), "it is not the first one's any more");
        drop(second_file);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn what_is_no_socket_is_left_alone_and_a_missing_directory_is_told() {
        let folder = tempfile::tempdir().expect("a directory");
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "precious").expect("a file");
        std::os::unix::fs::symlink("nowhere", &link).expect("a link");
        for path in [&file, &link, &folder.path().to_path_buf()] {
            assert!(matches!(listen(path, &options()), Err(UnixFault::OtherFile)), "{}", path.display());
        }
        assert_eq!(fs::read(&file).expect("still there"), b"precious");
        let fault =
            listen(&folder.path().join("none/s"), &options()).err().expect("no directory").to_string();
        assert!(fault.contains("none` is not there"), "{fault}");
        let nobody = SocketOptions { unix_owner: Some("no such user".into()), ..options() };
        assert!(matches!(listen(&folder.path().join("s"), &nobody), Err(UnixFault::Owner(_))));
    }

    #[test]
    fn what_somebody_put_in_the_sockets_place_is_not_given_away() {
        let folder = tempfile::tempdir().expect("a directory");
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "precious").expect("a file");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("its own mode");
        std::os::unix::fs::symlink(&file, &link).expect("a link");
        let nobody = Owner { user: None, group: Some(rustix::process::getgid().as_raw()) };
        for path in [&link, &file] {
            let given = give(path, Some(nobody), UnixMode(0o666));
            assert!(matches!(given, Err(UnixFault::OtherFile)), "{given:?}");
        }
        assert_eq!(fs::metadata(&file).expect("still there").permissions().mode() & 0o777, 0o600);
    }

    #[tokio::test]
    async fn a_full_backlog_is_no_sign_of_a_stale_socket() {
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join("s");
        let (_live, _file) = listen(&path, &SocketOptions { backlog: 0, ..options() }).expect("a socket");
        for _ in 0..4 {
            assert!(matches!(SocketStanding::of(&path), Err(UnixFault::Live)));
        }
    }
}
