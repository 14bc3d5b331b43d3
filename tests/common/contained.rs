//! The daemon in its container: the image as `conf/image` makes it, on the engine of a story, on the host's network.
//!
//! A container that is dropped by a failing story shows its log; the engine's end is its end.

use std::fs;

use super::docker::Engine;
use super::parts::{self, Part};
use super::process::free_port;
use super::scrape::Metrics;
use super::{show, until};

/// The image's name.
pub(crate) const IMAGE: &str = "forebay:tests";
/// The static binary, which `tests/prepare` builds.
pub(crate) const BINARY: Part = Part::Fetched("static");
/// What a careful operator adds, as `conf/docker-compose.yml` does.
const HARDENED: [&str; 5] = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"];

/// Makes the image; answers the size of the binary in it.
pub(crate) fn make_image(engine: &Engine) -> u64 {
    let binary = parts::folder("static").join("forebay");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/conf/image");
    // The engine's own builder: BuildKit is a plug-in that a machine may lack.
    let output = engine.client(script).arg(IMAGE).arg(&binary).env("DOCKER_BUILDKIT", "0").output();
    let output = output.expect("conf/image starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::metadata(binary).expect("the binary").len()
}

/// A daemon in a container.
pub(crate) struct Contained<'a> {
    /// Its forward listener's port.
    pub(crate) forward: u16,
    engine: &'a Engine,
    name: &'a str,
    http: u16,
}

impl<'a> Contained<'a> {
    /// Runs one with these variables (`NAME=value`) and these more arguments for `docker run`. Its data is on the
    /// volume `data`.
    pub(crate) fn run(engine: &'a Engine, name: &'a str, variables: &[&str], more: &[&str]) -> Self {
        let (forward, http) = (free_port(), free_port());
        let listen = [("FORWARD__0__LISTEN", forward), ("HTTP__LISTEN", http)]
            .map(|(key, port)| format!("FOREBAY_{key}=127.0.0.1:{port}"));
        let mut arguments = vec!["run", "--detach", "--network", "host", "--name", name];
        arguments.extend(HARDENED);
        arguments.extend(["--volume", "data:/data", "--health-interval", "500ms"]);
        let variables = listen.iter().map(String::as_str).chain(variables.iter().copied());
        variables.for_each(|variable| arguments.extend(["--env", variable]));
        arguments.extend(more);
        arguments.push(IMAGE);
        engine.must(&arguments);
        Self { forward, engine, name, http }
    }

    /// Waits until the health check of the image says that it is healthy.
    pub(crate) async fn until_healthy(&self) {
        until("the container to be healthy", || async {
            let health = self.inspect("{{.State.Health.Status}}");
            if health == "healthy" { Ok(()) } else { Err(self.inspect("{{json .State}}")) }
        })
        .await;
    }

    /// Waits until it listens, whatever the target does.
    pub(crate) async fn until_listens(&self) {
        until("the container to listen", || async {
            tokio::net::TcpStream::connect(("127.0.0.1", self.forward)).await.map(drop)
        })
        .await;
    }

    /// Waits until nothing is in the buffer, and asserts that the books balance then.
    pub(crate) async fn until_drained(&self) {
        let page = format!("http://127.0.0.1:{}/metrics", self.http);
        let metrics = until("the buffer to be empty", || async {
            let answer = reqwest::get(&page).await.map_err(|error| error.to_string())?;
            let metrics = Metrics::read(&answer.text().await.map_err(|error| error.to_string())?);
            let waits = metrics.sum("forebay_buffer_events");
            if waits == 0.0 { Ok(metrics) } else { Err(format!("{waits} events")) }
        })
        .await;
        metrics.assert_books_balance();
    }

    /// What `docker inspect` says of it.
    pub(crate) fn inspect(&self, format: &str) -> String {
        self.engine.must(&["inspect", "--format", format, self.name])
    }

    /// `docker stop`, which is SIGTERM, and SIGKILL a minute later; its exit status, 137 for the latter.
    pub(crate) fn stop(&self) -> i32 {
        self.engine.must(&["stop", "-t", "60", self.name]);
        self.inspect("{{.State.ExitCode}}").parse().expect("an exit status")
    }

    /// The value of `key` in the status of its process, as the host sees it.
    pub(crate) fn process_status(&self, key: &str) -> String {
        let id = self.inspect("{{.State.Pid}}");
        let status = fs::read_to_string(format!("/proc/{id}/status")).expect("a process that runs");
        let line = status.lines().find_map(|line| line.strip_prefix(&format!("{key}:")));
        line.unwrap_or_else(|| panic!("no {key} in {status}"))
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    }
}

impl Drop for Contained<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let logs = self.engine.client("docker").args(["logs", "--tail", "40", self.name]).output();
            let logs = logs.map(|output| [output.stdout, output.stderr].concat()).unwrap_or_default();
            show(&format!("--- the end of the container's log\n{}", String::from_utf8_lossy(&logs)));
        }
    }
}
