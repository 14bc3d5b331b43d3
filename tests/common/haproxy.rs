//! A real HAProxy in front of a listener, which tells the true peer by a header of the PROXY protocol.

use std::fs;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::TcpStream;

use super::parts::Part;
use super::process::{Guarded, free_port};
use super::{show, until};

/// The program.
pub(crate) const PART: Part = Part::Program("haproxy");

/// One that runs.
pub(crate) struct HaProxy {
    /// Where it takes connections.
    pub(crate) port: u16,
    folder: TempDir,
    _process: Guarded,
}

impl HaProxy {
    /// Starts one that passes connections on to `server` (`127.0.0.1:PORT`), with these more words for it, such as
    /// `send-proxy`.
    pub(crate) async fn start(server: &str, words: &str) -> Self {
        let (folder, port) = (TempDir::new().expect("a temporary folder"), free_port());
        let configuration = folder.path().join("haproxy.cfg");
        let text = format!(
            "defaults\n  mode tcp\n  timeout connect 10s\n  timeout client 60s\n  timeout server 60s\n\
             listen forward\n  bind 127.0.0.1:{port}\n  server forebay {server} {words}\n"
        );
        fs::write(&configuration, text).expect("a configuration file");
        let log = fs::File::create(folder.path().join("log")).expect("a log file");
        let mut command = Command::new("haproxy");
        command.arg("-db").arg("-f").arg(&configuration);
        command.stdout(log.try_clone().expect("a second handle")).stderr(log);
        let process = Guarded::start(&mut command, Some(folder.path()), Duration::ZERO);
        let started = Self { port, folder, _process: process };
        until("HAProxy to listen", || async { TcpStream::connect(("127.0.0.1", port)).await.map(drop) })
            .await;
        started
    }
}

impl Drop for HaProxy {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            show(&format!("--- HAProxy's log\n{log}"));
        }
    }
}
