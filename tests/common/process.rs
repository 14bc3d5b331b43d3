//! Processes that end with the story, and ports for them.
//!
//! Each process leads a group of its own, which is killed when its [`Guarded`] is dropped. And each has a guard: a shell
//! that waits for the end of its standard input, which comes when this process dies, however it dies, and then kills
//! the group and removes its folder. So no interrupt and no `kill -9` of the test runner leaves a node or an engine behind.

use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, setrlimit};

/// First a request that leaves the process so many seconds, then the end of its group and its folder.
const GUARD: &str = r#"
cat >/dev/null
kill -TERM "$1" 2>/dev/null
tries=$(($3 * 10))
while [ $tries -gt 0 ] && kill -0 "$1" 2>/dev/null; do sleep 0.1; tries=$((tries - 1)); done
kill -KILL -- "-$1" 2>/dev/null
[ -z "$2" ] || rm -rf -- "$2"
"#;

/// A process with a guard.
pub(crate) struct Guarded {
    child: Child,
    guard: Child,
    status: Option<ExitStatus>,
}

impl Guarded {
    /// Starts `command`. When all is over the guard removes `folder`; `grace` is what the process has to end by itself
    /// when this process dies.
    pub(crate) fn start(command: &mut Command, folder: Option<&Path>, grace: Duration) -> Self {
        let child = command.stdin(Stdio::null()).process_group(0).spawn();
        let child = child.unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        let guard = Command::new("sh")
            .args(["-c", GUARD, "guard", &child.id().to_string()])
            .arg(folder.unwrap_or(Path::new("")))
            .arg(grace.as_secs().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("a guard starts");
        Self { child, guard, status: None }
    }

    /// The process's id, which is its group's.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends `signal` to the process alone.
    pub(crate) fn signal(&self, signal: Signal) {
        if self.status.is_none() {
            rustix::process::kill_process(self.pid(), signal)
                .expect("a child that was not waited for is there");
        }
    }

    /// Sends `signal` to the whole group.
    pub(crate) fn signal_group(&self, signal: Signal) {
        if self.status.is_none() {
            rustix::process::kill_process_group(self.pid(), signal).expect("the group of a child is there");
        }
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            self.status = self.child.try_wait().expect("a child can be asked");
        }
        self.status
    }

    /// Waits for its end.
    pub(crate) async fn wait(&mut self, limit: Duration) -> Option<ExitStatus> {
        let started = Instant::now();
        while self.ended().is_none() && started.elapsed() < limit {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.ended()
    }

    /// Asks the process to end and waits for it, for use where nothing can be awaited.
    #[expect(clippy::disallowed_methods, reason = "a drop cannot await")]
    pub(crate) fn stop_blocking(&mut self, signal: Signal, limit: Duration) {
        let started = Instant::now();
        self.signal(signal);
        while self.ended().is_none() && started.elapsed() < limit {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        if self.ended().is_none() {
            self.signal_group(Signal::KILL);
            self.status = self.child.wait().ok();
        }
        // The guard must not outlive the process, whose id may soon be another's.
        self.guard.kill().and_then(|()| self.guard.wait()).ok();
    }
}

/// The daemon's program: the one that was built for the stories, or another that `STORY_DAEMON` names, for instance of a
/// release.
pub(crate) fn executable() -> PathBuf {
    std::env::var_os("STORY_DAEMON").map_or_else(|| env!("CARGO_BIN_EXE_forebay").into(), PathBuf::from)
}

/// Lets this process, and those that it starts, have as many files open as the system allows.
pub(crate) fn raise_handles() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).expect("up to the maximum");
}

/// Runs a command that must succeed to its end.
pub(crate) fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A port that nobody listens on, for what must keep its port over a restart.
pub(crate) fn free_port() -> u16 {
    free_listener().local_addr().expect("an address").port()
}

/// A listener on such a port, for what can take it before another does; not one to block on.
///
/// Below the range from which the kernel takes ports for outgoing connections, and never the same twice in a process.
pub(crate) fn free_listener() -> TcpListener {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = 20_000 + u16::try_from(std::process::id() % 10_000).expect("below 10 000");
    loop {
        let port = 20_000 + (start - 20_000 + NEXT.fetch_add(1, Ordering::Relaxed)) % 10_000;
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) {
            listener.set_nonblocking(true).expect("a socket that does not block");
            return listener;
        }
    }
}
