//! `conf/docker-compose.yml` on a real Docker Engine, as far as it goes here.
//!
//! No image can be fetched, and the engine has no bridge. So the story takes the file as `docker-compose` reads it, leaves out
//! Elasticsearch, Kibana and the accounts for a real node outside of containers, puts Forebay and the
//! application on the host's network, and keeps everything else: the application's command and its driver's options, the
//! hardening, the volume, the secret by file, and the order of starting. All of it works with docker-compose 1.29, the
//! oldest version that knows every condition of `depends_on` that the file has.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use libtest_mimic::Trial;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::common::contained::{self, BINARY, make_image};
use crate::common::docker::{self, Engine};
use crate::common::load::sources;
use crate::common::node::{Node, Version, shared};
use crate::common::parts::Part;
use crate::common::process::{Guarded, free_port};
use crate::common::sequence::assert_every_one_once;
use crate::common::{show, story_with};

/// The file that operators copy.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/conf/docker-compose.yml");
/// The services of the file that run here.
const SERVICES: [&str; 2] = ["forebay", "ml-api"];
/// Where its lines go here, apart from those of other stories; and the secret, which the node does not ask for.
const INDEX: &str = "logs-ml_api-compose";
const PASSWORD: &str = "only-for-tests";
/// The application logs a line a second.
const LINES: usize = 5;
/// For one call of `docker-compose`, the wait for health checks included.
const CALL_LIMIT: Duration = Duration::from_secs(120);

/// The file is accepted; what it describes runs.
pub(crate) fn stories() -> Vec<Trial> {
    let compose = Part::Program("docker-compose");
    vec![
        story_with(
            &[compose],
            "compose::docker_compose_accepts_the_file_and_keeps_what_it_waits_for",
            accepted,
        ),
        story_with(
            &[Part::Docker, compose, BINARY, Version::Elasticsearch8.part()],
            "compose::the_application_starts_once_forebay_is_healthy_and_each_of_its_lines_arrives_once",
            up_and_down,
        ),
    ]
}

async fn accepted() {
    let file = read();
    let waits = |service: &str| file["services"][service]["depends_on"].clone();
    assert_eq!(waits("accounts"), json!({ "elasticsearch": { "condition": "service_healthy" } }));
    for service in ["kibana", "forebay"] {
        assert_eq!(waits(service), json!({ "accounts": { "condition": "service_completed_successfully" } }));
    }
    assert_eq!(waits("ml-api"), json!({ "forebay": { "condition": "service_healthy" } }));
}

async fn up_and_down() {
    let node = shared(Version::Elasticsearch8).await;
    let engine = Engine::start().await;
    make_image(&engine);
    let project = Project::lay_out(&engine, node);
    project.call(&["up", "--detach"]).await;
    let checks =
        project.inspect("forebay", "{{range .State.Health.Log}}{{.ExitCode}} {{json .End}}\n{{end}}");
    let started = time(&project.inspect("ml-api", "{{json .State.StartedAt}}"));
    let healthy = checks.lines().find_map(|check| check.strip_prefix("0 ")).map(time);
    assert!(healthy.is_some_and(|healthy| healthy <= started), "started {started}, checks:\n{checks}");
    node.api.documents(INDEX, LINES).await;
    project.call(&["stop"]).await;
    for service in SERVICES {
        assert_eq!(
            project.inspect(service, "{{.State.ExitCode}}"),
            "0",
            "{service} ends when it is asked to"
        );
    }
    // What was printed last may be on the volume; the next start delivers it.
    project.call(&["up", "--detach", "forebay"]).await;
    let printed = project.printed("ml-api");
    let held = node.api.documents(INDEX, printed.len()).await;
    assert!(sources(&held).iter().all(|document| document["tag"] == "ml-api"));
    assert_every_one_once(printed.iter().map(request), sources(&held).into_iter().map(request));
    project.call(&["down"]).await;
    assert_eq!(engine.must(&["ps", "--all", "--quiet"]), "", "nothing is left of it");
}

/// The number of the request that a line, or the document made of it, is about.
fn request(line: &Value) -> u64 {
    let id = line["request_id"].as_str().and_then(|id| id.parse().ok());
    id.unwrap_or_else(|| panic!("no number of a request in {line}"))
}

/// A time as Docker has it, in JSON's quotes.
fn time(text: &str) -> jiff::Timestamp {
    text.trim_matches('"').parse().expect("a time of RFC 3339")
}

/// The file as `docker-compose` reads it.
fn read() -> Value {
    let config = output(Command::new("docker-compose").args(["--file", FILE, "config"]));
    let folder = TempDir::new().expect("a temporary folder");
    let yaml = folder.path().join("docker-compose.yml");
    fs::write(&yaml, config).expect("a file");
    // Debian's Python, which has the YAML that docker-compose itself needs.
    let convert = "import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout)";
    let json = output(Command::new("/usr/bin/python3").args(["-c", convert]).arg(yaml));
    serde_json::from_slice(&json).expect("JSON")
}

fn output(command: &mut Command) -> Vec<u8> {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// The derived file in a folder of its own, brought up on a story's engine.
struct Project<'a> {
    engine: &'a Engine,
    folder: TempDir,
}

impl<'a> Project<'a> {
    fn lay_out(engine: &'a Engine, node: &Node) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let secret = folder.path().join("forebay_password");
        fs::write(&secret, PASSWORD).expect("a secret");
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).expect("its mode");
        let derived = derived(read(), &node.api.url, &secret);
        // JSON is YAML.
        fs::write(folder.path().join("docker-compose.yml"), derived.to_string()).expect("the derived file");
        Self { engine, folder }
    }

    /// `docker-compose` with these arguments, which must succeed.
    async fn call(&self, arguments: &[&str]) {
        let path = self.folder.path().join("docker-compose.log");
        let log = fs::File::create(&path).expect("a log file");
        let mut command = self.engine.client("docker-compose");
        command.args(["--project-name", "forebay"]).args(arguments).current_dir(self.folder.path());
        command.stdout(log.try_clone().expect("a second handle")).stderr(log);
        let status = Guarded::start(&mut command, None, Duration::ZERO).wait(CALL_LIMIT).await;
        let said = fs::read_to_string(path).unwrap_or_default();
        assert!(status.is_some_and(|status| status.success()), "{arguments:?}: {status:?}\n{said}");
    }

    fn inspect(&self, service: &str, format: &str) -> String {
        self.engine.must(&["inspect", "--format", format, &self.container(service)])
    }

    /// The lines of a service's container, from the copy that the engine keeps whatever the driver.
    fn printed(&self, service: &str) -> Vec<Value> {
        let lines = self.engine.must(&["logs", &self.container(service)]);
        lines.lines().map(|line| serde_json::from_str(line).expect("the application logs JSON")).collect()
    }

    fn container(&self, service: &str) -> String {
        let label = format!("label=com.docker.compose.service={service}");
        self.engine.must(&["ps", "--all", "--quiet", "--filter", &label])
    }
}

impl Drop for Project<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let logs = self.engine.client("docker").args(["logs", &self.container("forebay")]).output();
            let logs = logs.map(|output| [output.stdout, output.stderr].concat()).unwrap_or_default();
            show(&format!("--- the log of Forebay's container\n{}", String::from_utf8_lossy(&logs)));
        }
    }
}

/// What of `file` can run here; the module says what is changed.
fn derived(mut file: Value, elasticsearch: &str, secret: &Path) -> Value {
    let forward = free_port();
    let [forebay, app] = SERVICES.map(|service| file["services"][service].take());
    let environment = [
        ("FOREBAY_ELASTICSEARCH__HOSTS", elasticsearch.to_owned()),
        ("FOREBAY_ELASTICSEARCH__INDEX", "logs-{tag}-compose".to_owned()),
        ("FOREBAY_FORWARD__0__LISTEN", format!("127.0.0.1:{forward}")),
        ("FOREBAY_HTTP__LISTEN", format!("127.0.0.1:{}", free_port())),
    ];
    let mut forebay = changed(forebay, &["build", "depends_on", "ports"], "host", contained::IMAGE);
    for (name, value) in environment {
        forebay["environment"][name] = value.into();
    }
    let mut app = changed(app, &[], "none", docker::IMAGE);
    app["logging"]["options"]["fluentd-address"] = format!("127.0.0.1:{forward}").into();
    json!({
        "version": file["version"],
        "services": { SERVICES[0]: forebay, SERVICES[1]: app },
        "secrets": { "forebay_password": { "file": secret } },
        "volumes": { "forebay-data": {} },
    })
}

/// A service of an image that is here, without what cannot be had.
fn changed(service: Value, without: &[&str], network: &str, image: &str) -> Value {
    let Value::Object(mut service) = service else { panic!("{service} is no service") };
    without.iter().for_each(|key| drop(service.remove(*key)));
    service.insert("network_mode".into(), network.into());
    service.insert("image".into(), image.into());
    Value::Object(service)
}
