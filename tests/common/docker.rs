//! A real Docker Engine: one of its own for a story, with an image made of busybox, and containers that log through
//! the `fluentd` driver.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use rustix::process::Signal;
use tempfile::TempDir;

use super::process::Guarded;
use super::{show, until};

/// The image that every container is made of.
pub(crate) const IMAGE: &str = "busybox:tests";
/// What the containers' scripts use.
const APPLETS: [&str; 11] =
    ["sh", "cat", "date", "echo", "head", "printf", "seq", "sleep", "tr", "true", "usleep"];
/// An engine stops its containers, each within 10 s, before it ends.
const STOP_LIMIT: Duration = Duration::from_secs(40);

/// An engine that runs.
pub(crate) struct Engine {
    process: Guarded,
    folder: TempDir,
}

impl Engine {
    /// Starts one and makes its image.
    pub(crate) async fn start() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let engine = Self { process: launch(folder.path()), folder };
        engine.until_up().await;
        engine.make_image();
        engine
    }

    /// Stops the engine, and with it all containers, and starts it again; containers with a restart policy go on.
    pub(crate) async fn restart(&mut self) {
        self.process.signal(Signal::TERM);
        assert!(
            self.process.wait(STOP_LIMIT).await.is_some(),
            "the engine has not stopped after {STOP_LIMIT:?}"
        );
        self.process = launch(self.folder.path());
        self.until_up().await;
    }

    /// Starts a container that logs to a Forebay at `address` with these driver options (`tag=…`), and runs `script`.
    pub(crate) fn run(&self, name: &str, port: u16, options: &[&str], more: &[&str], script: &str) {
        let mut arguments = vec!["run", "--detach", "--network", "none", "--name", name];
        let address = format!("fluentd-address=127.0.0.1:{port}");
        arguments.extend(["--log-driver", "fluentd", "--log-opt", &address]);
        options.iter().for_each(|option| arguments.extend(["--log-opt", option]));
        arguments.extend(more);
        arguments.extend([IMAGE, "sh", "-c", script]);
        self.must(&arguments);
    }

    /// Waits for the end of a container that ends by itself, and asserts that it ended well.
    pub(crate) async fn until_ended(&self, name: &str) {
        until(&format!("the end of container {name}"), || async {
            let state = self.must(&["inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", name]);
            if state == "exited 0" { Ok(()) } else { Err(state) }
        })
        .await;
    }

    /// A container's full id.
    pub(crate) fn id(&self, name: &str) -> String {
        self.must(&["inspect", "--format", "{{.Id}}", name])
    }

    /// `docker` with these arguments, which must succeed; what it printed.
    pub(crate) fn must(&self, arguments: &[&str]) -> String {
        let output = self.docker(arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "docker {arguments:?}: {error}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// The socket that it answers on.
    pub(crate) fn socket(&self) -> PathBuf {
        socket(self.folder.path())
    }

    /// A program that talks to this engine.
    pub(crate) fn client(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env("DOCKER_HOST", host(self.folder.path())).env_remove("DOCKER_CONTEXT");
        command
    }

    fn docker(&self, arguments: &[&str]) -> Output {
        self.client("docker").args(arguments).output().expect("the docker client starts")
    }

    async fn until_up(&self) {
        until("the engine to be up", || async {
            let output = self.docker(&["version"]);
            if output.status.success() {
                Ok(())
            } else {
                Err(String::from_utf8_lossy(&output.stderr).into_owned())
            }
        })
        .await;
    }

    fn make_image(&self) {
        let root = self.folder.path().join("root");
        fs::create_dir_all(root.join("bin")).expect("a folder for the image");
        fs::copy(busybox(), root.join("bin/busybox")).expect("a copy of busybox");
        for applet in APPLETS {
            symlink("busybox", root.join("bin").join(applet)).expect("a link to busybox");
        }
        let archive = self.folder.path().join("image.tar");
        let tar = Command::new("tar").arg("-C").arg(&root).arg("-cf").arg(&archive).arg(".").status();
        assert!(tar.is_ok_and(|status| status.success()), "tar packs the image");
        self.must(&["import", &archive.to_string_lossy(), IMAGE]);
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let containers = self.docker(&["ps", "--all", "--no-trunc"]);
            show(&format!("--- containers\n{}", String::from_utf8_lossy(&containers.stdout)));
            let log = fs::read_to_string(self.folder.path().join("dockerd.log")).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            show(&format!(
                "--- the end of the engine's log\n{}",
                lines[lines.len().saturating_sub(20)..].join("\n")
            ));
        }
        // Killed, it would leave its containers running and its file systems mounted.
        let ids = self.docker(&["ps", "--quiet"]);
        let ids = String::from_utf8_lossy(&ids.stdout).into_owned();
        if !ids.trim().is_empty() {
            let mut arguments = vec!["kill"];
            arguments.extend(ids.split_whitespace());
            self.docker(&arguments);
        }
        self.process.stop_blocking(Signal::TERM, STOP_LIMIT);
    }
}

fn launch(folder: &Path) -> Guarded {
    let log =
        fs::File::options().create(true).append(true).open(folder.join("dockerd.log")).expect("a log file");
    // In a mount namespace of its own, whose end is the end of every mount: an engine leaves one behind when a container was
    // on the host's network, and its folder could not be removed.
    let mut command = Command::new("unshare");
    command.args(["--mount", "--", "dockerd"]);
    command.arg("--data-root").arg(folder.join("data")).arg("--exec-root").arg(folder.join("exec"));
    command.arg("-H").arg(host(folder)).arg("-p").arg(folder.join("pid"));
    command.args(["--iptables=false", "--ip6tables=false", "--bridge=none"]);
    command.stdout(log.try_clone().expect("a second handle")).stderr(log);
    Guarded::start(&mut command, Some(folder), STOP_LIMIT)
}

fn host(folder: &Path) -> String {
    format!("unix://{}", socket(folder).display())
}

fn socket(folder: &Path) -> PathBuf {
    folder.join("docker.sock")
}

fn busybox() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found =
        std::env::split_paths(&path).map(|folder| folder.join("busybox")).find(|busybox| busybox.is_file());
    found.expect("busybox is on the path")
}
