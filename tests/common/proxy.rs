//! A real HAProxy or NGINX in front of a listener, which tells the true peer by a header of the PROXY protocol.

use std::fs;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::TcpStream;

use super::parts::Part;
use super::process::{Guarded, free_port};
use super::{show, until};

/// HAProxy's program.
pub(crate) const HAPROXY: Part = Part::Program("haproxy");

/// NGINX's program.
pub(crate) const NGINX: Part = Part::Program("nginx");

/// One that runs.
pub(crate) struct Proxy {
    /// Where it takes connections.
    pub(crate) port: u16,
    program: &'static str,
    folder: TempDir,
    _process: Guarded,
}

impl Proxy {
    /// Starts an HAProxy that passes connections on to `server` (`127.0.0.1:PORT`), with these more words for it, such as
    /// `send-proxy`.
    pub(crate) async fn haproxy(server: &str, words: &str) -> Self {
        let port = free_port();
        let text = format!(
            "defaults\n  mode tcp\n  timeout connect 10s\n  timeout client 60s\n  timeout server 60s\n\
             listen forward\n  bind 127.0.0.1:{port}\n  server forebay {server} {words}\n"
        );
        Self::start("haproxy", &["-db", "-f", "configuration"], port, &text).await
    }

    /// Starts an NGINX that passes connections on to `server`, with `proxy_protocol on`.
    pub(crate) async fn nginx(server: &str) -> Self {
        let port = free_port();
        let text = format!(
            "load_module /usr/lib/nginx/modules/ngx_stream_module.so;\ndaemon off;\npid nginx.pid;\n\
             error_log stderr;\nevents {{}}\nstream {{\n  server {{\n    listen 127.0.0.1:{port};\n    \
             proxy_pass {server};\n    proxy_protocol on;\n  }}\n}}\n"
        );
        Self::start("nginx", &["-p", ".", "-e", "stderr", "-c", "configuration"], port, &text).await
    }

    async fn start(program: &'static str, arguments: &[&str], port: u16, text: &str) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        fs::write(folder.path().join("configuration"), text).expect("a configuration file");
        let log = fs::File::create(folder.path().join("log")).expect("a log file");
        let mut command = Command::new(program);
        command.args(arguments).current_dir(folder.path());
        command.stdout(log.try_clone().expect("a second handle")).stderr(log);
        let process = Guarded::start(&mut command, Some(folder.path()), Duration::ZERO);
        let started = Self { port, program, folder, _process: process };
        until("the proxy to listen", || async { TcpStream::connect(("127.0.0.1", port)).await.map(drop) })
            .await;
        started
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            show(&format!("--- the log of {}\n{log}", self.program));
        }
    }
}
