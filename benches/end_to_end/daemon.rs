//! The daemon as a process: started with a configuration, watched from outside, stopped as an operator would.
//!
//! Invariants: it listens on ports that the system chose, learnt from its own log; whatever happens, it does not
//! outlive its [`Daemon`].

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{fs, thread};

use rustix::process::{Pid, Signal, kill_process};

use crate::Fault;

/// From the start of the process to its last listener.
const START_PATIENCE: Duration = Duration::from_secs(30);

/// From SIGTERM to its end.
const STOP_PATIENCE: Duration = Duration::from_secs(60);

/// Log lines kept for the case that something goes wrong.
const TAIL: usize = 30;

/// A clock tick of `/proc/PID/stat`: Linux has had a hundred a second for user space on every machine for ages.
const TICK: Duration = Duration::from_millis(10);

/// A running daemon.
pub(crate) struct Daemon {
    child: Child,
    tail: Arc<Mutex<VecDeque<String>>>,
    /// Where its forward listener is.
    pub(crate) forward: SocketAddr,
    /// Where its pages are.
    http: SocketAddr,
}

/// CPU time that a process has had.
#[derive(Clone, Copy)]
pub(crate) struct Cpu {
    /// In its own code.
    pub(crate) user: Duration,
    /// In the kernel, on its behalf.
    pub(crate) system: Duration,
}

/// Resident memory of a process, in bytes.
#[derive(Clone, Copy)]
pub(crate) struct Memory {
    /// Now.
    pub(crate) resident: u64,
    /// At its peak.
    pub(crate) peak: u64,
}

impl Daemon {
    /// Starts `program` with the configuration file `config` and waits until it listens.
    pub(crate) fn start(program: &Path, config: &Path) -> Result<Self, Fault> {
        let (tell, hear) = sync_channel(16);
        let mut daemon = Self::launch(program, "run", config, &[], tell)?;
        daemon.listening(&hear)?;
        Ok(daemon)
    }

    /// Starts a replay in its place, of what `more` of its command line says, which ends by itself.
    pub(crate) fn replay(program: &Path, config: &Path, more: &[&OsStr]) -> Result<Self, Fault> {
        let (tell, _) = sync_channel(1);
        Self::launch(program, "replay", config, more, tell)
    }

    /// Starts `program` with a command and more of its command line; `tell` hears of its listeners.
    fn launch(
        program: &Path,
        command: &str,
        config: &Path,
        more: &[&OsStr],
        tell: SyncSender<(String, SocketAddr)>,
    ) -> Result<Self, Fault> {
        let mut process = Command::new(program);
        // why: keys in the caller's environment would change what is measured.
        process.env_clear().args([command, "--log-format", "json", "--config"]).arg(config).args(more);
        process.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = process.spawn().map_err(|fault| format!("{}: {fault}", program.display()))?;
        let log = child.stderr.take().ok_or("it has no standard error")?;
        let tail = Arc::new(Mutex::new(VecDeque::new()));
        let kept = Arc::clone(&tail);
        thread::spawn(move || follow(log, &tell, &kept));
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        Ok(Self { child, tail, forward: nowhere, http: nowhere })
    }

    /// A series of its metrics page.
    pub(crate) fn metric(&self, series: &str) -> Result<u64, Fault> {
        let mut stream = TcpStream::connect(self.http)?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: forebay\r\nConnection: close\r\n\r\n")?;
        let mut page = String::new();
        stream.read_to_string(&mut page)?;
        let value = page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        Ok(value.ok_or_else(|| format!("no {series} on the metrics page"))?.parse()?)
    }

    /// CPU time up to now.
    pub(crate) fn cpu(&self) -> Result<Cpu, Fault> {
        cpu(self.child.id())
    }

    /// Resident memory, now and at its peak.
    pub(crate) fn memory(&self) -> Result<Memory, Fault> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let bytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().trim_end_matches(" kB").parse::<u64>().ok().map(|kib| kib << 10)
        };
        let (resident, peak) = (bytes("VmRSS:"), bytes("VmHWM:"));
        Ok(Memory { resident: resident.ok_or("no VmRSS")?, peak: peak.ok_or("no VmHWM")? })
    }

    /// Files and sockets that it has open.
    pub(crate) fn open_files(&self) -> Result<u64, Fault> {
        Ok(fs::read_dir(format!("/proc/{}/fd", self.child.id()))?.count() as u64)
    }

    /// Whether it has ended of itself.
    pub(crate) fn has_ended(&mut self) -> Result<Option<ExitStatus>, Fault> {
        Ok(self.child.try_wait()?)
    }

    /// Asks it to stop and waits until it has.
    pub(crate) fn stop(mut self) -> Result<(), Fault> {
        let pid = i32::try_from(self.child.id())?;
        kill_process(Pid::from_raw(pid).ok_or("no process id")?, Signal::TERM)?;
        let deadline = Instant::now() + STOP_PATIENCE;
        while Instant::now() < deadline {
            match self.child.try_wait()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(self.fault(&format!("the daemon stopped with {status}"))),
                None => thread::sleep(Duration::from_millis(5)),
            }
        }
        Err(self.fault("the daemon did not stop"))
    }

    /// `what` happened, and the end of the daemon's log.
    pub(crate) fn fault(&self, what: &str) -> Fault {
        let tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        let lines: Vec<&str> = tail.iter().map(String::as_str).collect();
        format!("{what}; the end of its log:\n{}", lines.join("\n")).into()
    }

    /// Learns where it listens; the forward listener is the last.
    fn listening(&mut self, hear: &Receiver<(String, SocketAddr)>) -> Result<(), Fault> {
        let deadline = Instant::now() + START_PATIENCE;
        loop {
            match hear.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok((listener, address)) if listener == "forward" => {
                    self.forward = address;
                    return Ok(());
                }
                Ok((_, address)) => self.http = address,
                Err(_) => return Err(self.fault("the daemon does not listen")),
            }
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // why: both fail where it has ended already, which is what is wanted.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// CPU time of process `pid` up to now.
pub(crate) fn cpu(pid: u32) -> Result<Cpu, Fault> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // why: the command's name is in brackets and may hold anything; the fields that follow it are numbers, from the third.
    let (_, fields) = stat.rsplit_once(')').ok_or("no fields in /proc/PID/stat")?;
    let mut ticks = fields.split_whitespace().skip(11).map(str::parse::<u32>);
    let mut next = || ticks.next().ok_or("too few fields in /proc/PID/stat");
    Ok(Cpu { user: TICK * next()??, system: TICK * next()?? })
}

/// Reads the log to its end: listeners are told, the last lines are kept.
fn follow(log: ChildStderr, tell: &SyncSender<(String, SocketAddr)>, tail: &Mutex<VecDeque<String>>) {
    for line in BufReader::new(log).lines().map_while(Result::ok) {
        if let Some(listener) = listener(&line) {
            // why: nobody hears once the forward listener is known.
            tell.try_send(listener).ok();
        }
        let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
        if tail.len() == TAIL {
            tail.pop_front();
        }
        tail.push_back(line);
    }
}

fn listener(line: &str) -> Option<(String, SocketAddr)> {
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    let fields = line.get("fields")?;
    let text = |name: &str| fields.get(name)?.as_str();
    if text("message") != Some("listening") {
        return None;
    }
    Some((text("listener")?.to_owned(), text("address")?.parse().ok()?))
}
