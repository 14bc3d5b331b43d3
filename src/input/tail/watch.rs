//! What the system tells of files that grow and of folders that get more: inotify, where it can be had.
//!
//! A file is watched by its inode, so that it is told of under any name and through any link; folders are watched for names that
//! come and go. Where something cannot be watched, or lies on a file system whose changes are made elsewhere, the watch is not
//! whole, and its owner looks by itself.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;
use tokio::io::unix::AsyncFd;

use super::Key;

/// Bytes of events that are read at once.
const ROOM: usize = 16 << 10;

/// Types of file systems whose files may be written on other machines: NFS, SMB, Ceph, FUSE, 9P.
const ELSEWHERE: [u64; 7] = [0x6969, 0x517b, 0xff53_4d42, 0xfe53_4d42, 0x00c3_6400, 0x6573_5546, 0x0102_1997];

/// See the module.
pub(super) struct Watch {
    inotify: Option<AsyncFd<OwnedFd>>,
    watched: HashMap<i32, Watched>,
    folders: HashMap<PathBuf, i32>,
    files: HashMap<Key, i32>,
    /// Why the system does not tell of everything.
    gap: Option<String>,
}

enum Watched {
    Folder(PathBuf),
    File(Key),
}

/// What was told.
#[derive(Debug, Default)]
pub(super) struct News {
    /// Files that have grown.
    pub(super) files: HashSet<Key>,
    /// Whether names have come or gone.
    pub(super) names: bool,
    /// Whether more was told than could be kept: anything may have changed.
    pub(super) anything: bool,
}

impl Watch {
    /// Nothing is watched yet. A runtime has to be entered.
    pub(super) fn new() -> Self {
        let made = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).map_err(io::Error::from);
        let (inotify, gap) = match made.and_then(register) {
            Ok(inotify) => (Some(inotify), None),
            Err(error) => (None, Some(format!("inotify cannot be had: {error}"))),
        };
        Self { inotify, watched: HashMap::new(), folders: HashMap::new(), files: HashMap::new(), gap }
    }

    /// Why the system does not tell of everything, if so.
    pub(super) fn gap(&self) -> Option<&str> {
        self.gap.as_deref()
    }

    /// Watches these folders, and no others any more.
    pub(super) fn set_folders(&mut self, folders: HashSet<PathBuf>) {
        let gone: Vec<_> = self.folders.keys().filter(|folder| !folders.contains(*folder)).cloned().collect();
        for folder in gone {
            let watch = self.folders.remove(&folder);
            self.remove(watch);
        }
        let names = WatchFlags::CREATE
            | WatchFlags::MOVED_TO
            | WatchFlags::MOVED_FROM
            | WatchFlags::DELETE
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF
            | WatchFlags::ONLYDIR;
        for folder in folders {
            if !self.folders.contains_key(&folder)
                && let Some(watch) = self.add(&folder, names)
            {
                self.watched.insert(watch, Watched::Folder(folder.clone()));
                self.folders.insert(folder, watch);
            }
        }
    }

    /// Watches a file, which is open.
    pub(super) fn add_file(&mut self, key: Key, file: &File) {
        if self.files.contains_key(&key) {
            return;
        }
        // why: its name may lead to another file by now.
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        if let Some(watch) = self.add(Path::new(&path), WatchFlags::MODIFY) {
            self.watched.insert(watch, Watched::File(key));
            self.files.insert(key, watch);
        }
    }

    /// Watches a file no more.
    pub(super) fn forget(&mut self, key: Key) {
        let watch = self.files.remove(&key);
        self.remove(watch);
    }

    fn add(&mut self, path: &Path, flags: WatchFlags) -> Option<i32> {
        let inotify = self.inotify.as_ref()?;
        let added = inotify::add_watch(inotify, path, flags);
        let gap = match added {
            Ok(_) if is_elsewhere(path) => {
                Some("files lie on a file system that others may write to".to_owned())
            }
            Ok(_) | Err(Errno::NOENT | Errno::NOTDIR) => None,
            Err(Errno::NOSPC) => Some("the limit fs.inotify.max_user_watches is reached".to_owned()),
            Err(error) => Some(format!("a file or folder cannot be watched: {error}")),
        };
        self.gap = self.gap.take().or(gap);
        added.ok()
    }

    fn remove(&mut self, watch: Option<i32>) {
        if let (Some(watch), Some(inotify)) = (watch, &self.inotify) {
            self.watched.remove(&watch);
            // It is gone already where what was watched is.
            inotify::remove_watch(inotify, watch).ok();
        }
    }

    /// Resolves when there is something to be taken.
    pub(super) async fn changed(&self) {
        let ready = match &self.inotify {
            Some(inotify) => inotify.readable().await.map(|mut ready| ready.clear_ready()),
            None => std::future::pending().await,
        };
        // why: where it cannot be waited for, the owner's own looks are left.
        if ready.is_err() {
            std::future::pending().await
        }
    }

    /// What was told since it was taken last.
    pub(super) fn take(&mut self) -> News {
        let mut news = News::default();
        let Some(inotify) = &self.inotify else { return news };
        let mut room = [MaybeUninit::uninit(); ROOM];
        let mut events = Reader::new(inotify, &mut room);
        while let Ok(event) = events.next() {
            news.anything |= event.events().contains(ReadFlags::QUEUE_OVERFLOW);
            let is_gone = event.events().contains(ReadFlags::IGNORED);
            match self.watched.get(&event.wd()) {
                Some(Watched::File(key)) if is_gone => drop(self.files.remove(key)),
                Some(Watched::File(key)) => drop(news.files.insert(*key)),
                Some(Watched::Folder(path)) => {
                    news.names = true;
                    if is_gone {
                        self.folders.remove(path);
                    }
                }
                None => (),
            }
            if is_gone {
                self.watched.remove(&event.wd());
            }
        }
        news
    }
}

#[expect(
    deprecated,
    reason = "what took its place is unsafe for the sake of types that close their file early, which an OwnedFd does not"
)]
fn register(inotify: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::new(inotify)
}

fn is_elsewhere(path: &Path) -> bool {
    rustix::fs::statfs(path).is_ok_and(|known| {
        // The type's width and sign differ from one architecture to the next.
        u64::try_from(known.f_type).is_ok_and(|kind| ELSEWHERE.contains(&(kind & 0xffff_ffff)))
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::time::Duration;

    use super::super::key_of;
    use super::*;

    async fn told(watch: &mut Watch) -> News {
        tokio::time::timeout(Duration::from_secs(20), watch.changed()).await.expect("it is told");
        watch.take()
    }

    #[tokio::test]
    async fn growth_is_told_by_inode_and_names_by_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, other) = (folder.path().join("a.log"), folder.path().join("b.log"));
        fs::write(&path, "one\n").expect("written");
        let mut file = File::options().append(true).read(true).open(&path).expect("opened");
        let key = key_of(&file.metadata().expect("known"));
        let mut watch = Watch::new();
        watch.add_file(key, &file);
        watch.set_folders([folder.path().to_owned()].into());
        assert_eq!(watch.gap(), None);
        fs::rename(&path, &other).expect("renamed");
        let news = told(&mut watch).await;
        assert!(news.names && news.files.is_empty() && !news.anything, "{news:?}");
        file.write_all(b"two\n").expect("written");
        let news = told(&mut watch).await;
        assert!(!news.names && news.files == [key].into(), "{news:?}");
        drop(file);
        fs::remove_file(&other).expect("removed");
        assert!(told(&mut watch).await.names);
        watch.forget(key);
        watch.set_folders(HashSet::new());
        assert!(watch.watched.is_empty());
    }
}
