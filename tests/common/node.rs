//! Real nodes of Elasticsearch and OpenSearch: started, paused, stopped, started again.
//!
//! A node runs as `nobody` (it refuses to be root) from the folder that `tests/prepare` unpacked, with configuration,
//! data and logs in a temporary folder of its own. Stories share one node a version, started when the first one
//! asks for it, and use indices of their own on it; whoever wants to hurt a node starts one.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;
use tempfile::TempDir;
use tokio::sync::OnceCell;

use super::certificates::Certificates;
use super::elasticsearch::{Api, Credentials};
use super::jvm;
use super::parts::{self, Part};
use super::process::{Guarded, free_port, run};
use super::{show, until};

/// The password of `elastic` where a node is secured.
pub(crate) const PASSWORD: &str = "only-for-tests";
/// A node that was asked to stop has so long before the story fails.
const STOP_LIMIT: Duration = Duration::from_secs(60);

/// A version that the stories run against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    /// Elasticsearch 7.17.28
    Elasticsearch7,
    /// Elasticsearch 8.11.0
    Elasticsearch8,
    /// Elasticsearch 8.19.0
    Elasticsearch8Newest,
    /// OpenSearch 2.19.0
    OpenSearch2,
}

/// All of them, in the order in which stories go through them.
pub(crate) const VERSIONS: [Version; 4] =
    [Version::Elasticsearch8, Version::Elasticsearch8Newest, Version::Elasticsearch7, Version::OpenSearch2];

impl Version {
    /// The part that `tests/prepare` fetches.
    pub(crate) fn part(self) -> Part {
        Part::Fetched(self.name())
    }

    /// Whether the distribution that is fetched has them; of 7.17 it is one without.
    pub(crate) fn has_data_streams(self) -> bool {
        self != Self::Elasticsearch7
    }

    fn name(self) -> &'static str {
        match self {
            Self::Elasticsearch7 => "elasticsearch-7.17.28",
            Self::Elasticsearch8 => "elasticsearch-8.11.0",
            Self::Elasticsearch8Newest => "elasticsearch-8.19.0",
            Self::OpenSearch2 => "opensearch-2.19.0",
        }
    }

    fn program(self) -> &'static str {
        match self {
            Self::OpenSearch2 => "opensearch",
            _ => "elasticsearch",
        }
    }

    fn variable(self, name: &str) -> String {
        match self {
            Self::OpenSearch2 => format!("OPENSEARCH_{name}"),
            _ => format!("ES_{name}"),
        }
    }
}

impl std::fmt::Display for Version {
    /// As it begins a story's name.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name().replace(['-', '.'], "_"))
    }
}

/// One node.
pub(crate) struct Node {
    /// To talk to it.
    pub(crate) api: Api,
    version: Version,
    process: Option<Guarded>,
    folder: TempDir,
}

/// The shared nodes, in the order of [`Version`].
static SHARED: [OnceCell<Node>; 4] = [const { OnceCell::const_new() }; 4];

/// The node of a version that stories share. The newest Elasticsearch is secured, the others are plain.
pub(crate) async fn shared(version: Version) -> &'static Node {
    let start = async || match version {
        Version::Elasticsearch8Newest => Node::start_secured(version).await,
        _ => Node::start(version, &[]).await,
    };
    SHARED[version as usize].get_or_init(start).await
}

/// Kills the shared nodes; nothing that they hold is worth a graceful stop.
pub(crate) fn stop_shared() {
    for node in SHARED.iter().filter_map(OnceCell::get) {
        node.kill();
    }
}

impl Node {
    /// A node without security, with `settings` beside what every node has.
    pub(crate) async fn start(version: Version, settings: &[&str]) -> Self {
        let port = free_port();
        let api = Api::plain(port);
        Self::start_with(version, port, api, settings, None).await
    }

    /// A cluster's first node, which keeps the documents, and a second that only passes requests on to it.
    pub(crate) async fn start_two(version: Version) -> (Self, Self) {
        let transport = free_port();
        let seed = format!("discovery.seed_hosts: [\"127.0.0.1:{transport}\"]");
        let transport = format!("transport.port: {transport}");
        let first = [&*seed, &*transport, "node.name: first", "cluster.initial_master_nodes: [first]"];
        let first = Self::start(version, &first).await;
        let second = Self::start(version, &[&seed, "node.name: second", "node.roles: []"]).await;
        (first, second)
    }

    /// A node that wants TLS and the password of `elastic`.
    pub(crate) async fn start_secured(version: Version) -> Self {
        let port = free_port();
        let certificates = Certificates::make();
        let credentials = Credentials { password: PASSWORD.into(), authority: certificates.read("ca.crt") };
        let api = Api::secured(port, &credentials);
        let settings = [
            "xpack.security.enabled: true",
            "xpack.security.autoconfiguration.enabled: false",
            "xpack.security.http.ssl.enabled: true",
            "xpack.security.http.ssl.key: node.key",
            "xpack.security.http.ssl.certificate: node.crt",
            "xpack.security.http.ssl.certificate_authorities: ca.crt",
            "xpack.security.transport.ssl.enabled: false",
            "resource.reload.interval.high: 1s",
        ];
        Self::start_with(version, port, api, &settings, Some(&certificates)).await
    }

    async fn start_with(
        version: Version,
        port: u16,
        api: Api,
        settings: &[&str],
        certificates: Option<&Certificates>,
    ) -> Self {
        let mut node =
            Self { api, version, process: None, folder: TempDir::new().expect("a temporary folder") };
        node.lay_out(port, settings);
        if let Some(certificates) = certificates {
            certificates.copy_to(&node.configuration());
            // The tool for users refuses to make these.
            for name in ["users", "users_roles"] {
                fs::write(node.configuration().join(name), "").expect("an empty list of users");
            }
            node.set_password();
        }
        jvm::give_to_nobody(node.folder.path());
        node.resume_service().await;
        node
    }

    /// The `[elasticsearch]` table that sends documents here, to which keys can be added.
    pub(crate) fn table(&self) -> String {
        let hosts = format!("[elasticsearch]\nhosts = [\"{}\"]\n", self.api.url);
        if self.secured() {
            format!(
                "{hosts}username = \"elastic\"\npassword = \"{PASSWORD}\"\nca_file = \"{}\"\n",
                self.authority()
            )
        } else {
            hosts
        }
    }

    /// Where the certificate is of the authority that signed a secured node's.
    pub(crate) fn authority(&self) -> String {
        self.configuration().join("ca.crt").display().to_string()
    }

    fn secured(&self) -> bool {
        self.configuration().join("ca.crt").exists()
    }

    /// Starts the node again after [`Node::stop`], with the data that it had, on the port that it had.
    pub(crate) async fn resume_service(&mut self) {
        let log = fs::File::options().create(true).append(true).open(self.log()).expect("a log file");
        let mut command = self.as_nobody(&format!("bin/{}", self.version.program()));
        command.stderr(log.try_clone().expect("a second handle")).stdout(log);
        self.process = Some(Guarded::start(&mut command, Some(self.folder.path()), Duration::ZERO));
        until("the node to be up", || self.api.ready()).await;
    }

    /// Stops the node as an operator would.
    pub(crate) async fn stop(&mut self) {
        let mut process = self.process.take().expect("a node that runs");
        process.signal(Signal::TERM);
        assert!(process.wait(STOP_LIMIT).await.is_some(), "the node has not stopped after {STOP_LIMIT:?}");
    }

    /// Runs the tool for the users of a secured node; the node sees what it did soon after.
    pub(crate) fn users(&self, arguments: &[&str]) {
        run(self.as_nobody("bin/elasticsearch-users").args(arguments));
    }

    /// Halts the node: its sockets stay open and nothing answers.
    pub(crate) fn pause(&self) {
        self.running().signal_group(Signal::STOP);
    }

    /// Lets it go on.
    pub(crate) fn go_on(&self) {
        self.running().signal_group(Signal::CONT);
    }

    fn kill(&self) {
        self.running().signal_group(Signal::KILL);
    }

    fn running(&self) -> &Guarded {
        self.process.as_ref().expect("a node that runs")
    }

    fn home(&self) -> PathBuf {
        parts::folder(self.version.name())
    }

    fn configuration(&self) -> PathBuf {
        self.folder.path().join("config")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("node.log")
    }

    fn lay_out(&self, port: u16, settings: &[&str]) {
        for name in ["config", "data", "logs", "tmp"] {
            fs::create_dir(self.folder.path().join(name)).expect("a folder for the node");
        }
        let log4j = "log4j2.properties";
        fs::copy(self.home().join("config").join(log4j), self.configuration().join(log4j)).expect(log4j);
        let shipped =
            fs::read_to_string(self.home().join("config/jvm.options")).expect("the shipped JVM options");
        fs::write(self.configuration().join("jvm.options"), jvm::options(&shipped)).expect("JVM options");
        let settings = settings.join("\n");
        let folder = self.folder.path().display();
        let security = if settings.contains("xpack.security") || self.version == Version::OpenSearch2 {
            ""
        } else {
            "xpack.security.enabled: false"
        };
        let discovery = if settings.contains("discovery.") { "" } else { "discovery.type: single-node" };
        let yaml = format!(
            "network.host: 127.0.0.1\nhttp.port: {port}\npath.data: {folder}/data\npath.logs: {folder}/logs\n\
             cluster.routing.allocation.disk.threshold_enabled: false\n{discovery}\n{security}\n{settings}\n"
        );
        fs::write(self.configuration().join(format!("{}.yml", self.version.program())), yaml)
            .expect("settings");
    }

    fn set_password(&self) {
        jvm::give_to_nobody(self.folder.path());
        let keystore = "bin/elasticsearch-keystore";
        run(self.as_nobody("/bin/sh").args([
            "-c",
            &format!("{keystore} create && printf %s {PASSWORD} | {keystore} add -x -f bootstrap.password"),
        ]));
    }

    /// `program`, run in the node's home as `nobody`; with one right of root's, to read a checkout in a closed folder.
    fn as_nobody(&self, program: &str) -> Command {
        let mut command = Command::new("setpriv");
        if rustix::process::geteuid().is_root() {
            let nobody = jvm::NOBODY.to_string();
            command.args(["--reuid", &nobody, "--regid", &nobody, "--clear-groups"]);
            command.args(["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]);
        }
        command.arg("--").arg(program).current_dir(self.home());
        command.env(self.version.variable("JAVA_HOME"), jvm::home());
        command.env(self.version.variable("PATH_CONF"), self.configuration());
        command.env(self.version.variable("TMPDIR"), self.folder.path().join("tmp"));
        // Java asks the list of users where home is, and nobody has none; what it keeps there goes here.
        command.env("HOME", self.folder.path()).env("XDG_CACHE_HOME", self.folder.path().join("tmp"));
        command
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = fs::read_to_string(self.log()).unwrap_or_default();
            let tail: Vec<&str> = log.lines().rev().take(30).collect();
            let tail: Vec<&str> = tail.into_iter().rev().collect();
            show(&format!("--- the end of the log of {:?}\n{}", self.version, tail.join("\n")));
        }
    }
}
