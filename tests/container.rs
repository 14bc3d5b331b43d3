//! The daemon in its container: the static image on a real Docker Engine, hardened as the compose file hardens it.
//!
//! The binary is the one that `tests/prepare` builds, unoptimised; `conf/image` puts it into the image.

use std::fs;

use libtest_mimic::Trial;
use tempfile::TempDir;

use crate::common::contained::{BINARY, Contained, IMAGE, make_image};
use crate::common::docker::Engine;
use crate::common::load::{self, numbers, sources};
use crate::common::names::Names;
use crate::common::node::{Node, PASSWORD, Version, shared};
use crate::common::parts::Part;
use crate::common::process::free_port;
use crate::common::sequence::assert_every_one_once;
use crate::common::story_with;

/// The name under which the daemon knows Elasticsearch, as in the compose file.
const SERVICE: &str = "elasticsearch";
/// The user of the image.
const USER: u32 = 65_532;
/// Events, and lines of a container.
const EVENTS: u64 = 300;

/// The image, names, and the volume.
pub(crate) fn stories() -> Vec<Trial> {
    let needs = &[Part::Docker, BINARY];
    let with_node = &[Part::Docker, BINARY, Version::Elasticsearch8.part()];
    vec![
        story_with(
            needs,
            "container::the_image_is_the_binary_alone_and_runs_without_root_on_a_read_only_root",
            image_alone,
        ),
        story_with(
            with_node,
            "container::a_name_from_the_hosts_file_leads_to_elasticsearch",
            name_from_hosts_file,
        ),
        story_with(
            with_node,
            "container::a_name_from_a_name_server_leads_to_elasticsearch",
            name_from_name_server,
        ),
        story_with(
            &[Part::Docker, BINARY, Version::Elasticsearch8Newest.part()],
            "container::a_name_leads_to_elasticsearch_with_tls_where_its_certificate_has_another",
            name_beside_certificates,
        ),
        story_with(
            with_node,
            "container::what_one_container_could_not_deliver_the_next_one_finds_on_the_volume",
            volume_outlives_container,
        ),
    ]
}

async fn image_alone() {
    let engine = Engine::start().await;
    let binary = make_image(&engine);
    let image = |format: &str| engine.must(&["image", "inspect", "--format", format, IMAGE]);
    assert_eq!(image("{{.Size}}").parse::<u64>().expect("a size"), binary, "the binary and nothing else");
    assert!(binary < 64 << 20, "{binary} bytes without optimisation");
    assert_eq!(image("{{.Config.User}}"), format!("{USER}:{USER}"));
    assert_eq!(image("{{json .Config.Volumes}}"), r#"{"/data":{}}"#);
    let daemon = Contained::run(&engine, "forebay", &[], &[]);
    daemon.until_healthy().await;
    for key in ["Uid", "Gid"] {
        assert_eq!(daemon.process_status(key), [USER; 4].map(|id| id.to_string()).join(" "));
    }
    assert_eq!(daemon.process_status("CapBnd"), "0000000000000000");
    assert_eq!(daemon.process_status("NoNewPrivs"), "1");
    assert_eq!(daemon.stop(), 0);
}

async fn name_from_hosts_file() {
    let node = shared(Version::Elasticsearch8).await;
    let engine = Engine::start().await;
    let entry = format!("{SERVICE}:127.0.0.1");
    delivers_by_name(&engine, node, "container_hosts", &[], &["--add-host", &entry]).await;
}

async fn name_from_name_server() {
    let node = shared(Version::Elasticsearch8).await;
    let engine = Engine::start().await;
    let names = Names::serve(SERVICE).await;
    let (_folder, mount) = resolver(&names);
    delivers_by_name(&engine, node, "container_names", &[], &["--volume", &mount]).await;
    assert!(names.answered() > 0, "the name came from the name server");
}

/// With `server_name` it is another part of the daemon that connects, which looks names up by other means.
async fn name_beside_certificates() {
    let node = shared(Version::Elasticsearch8Newest).await;
    let engine = Engine::start().await;
    let names = Names::serve(SERVICE).await;
    let (_folder, mount) = resolver(&names);
    let authority = format!("{}:/ca.crt:ro", node.authority());
    let password = format!("FOREBAY_ELASTICSEARCH__PASSWORD={PASSWORD}");
    let variables = [
        "FOREBAY_ELASTICSEARCH__SERVER_NAME=localhost",
        "FOREBAY_ELASTICSEARCH__CA_FILE=/ca.crt",
        "FOREBAY_ELASTICSEARCH__USERNAME=elastic",
        &password,
    ];
    let mounts = ["--volume", &mount, "--volume", &authority];
    delivers_by_name(&engine, node, "container_tls", &variables, &mounts).await;
    assert!(names.answered() > 0, "the name came from the name server");
}

/// A `resolv.conf` that leads to `names`, in a folder, and where it is to be mounted.
fn resolver(names: &Names) -> (TempDir, String) {
    let folder = TempDir::new().expect("a temporary folder");
    let file = folder.path().join("resolv.conf");
    fs::write(&file, names.resolv_conf()).expect("a file");
    let mount = format!("{}:/etc/resolv.conf:ro", file.display());
    (folder, mount)
}

/// A container logs, by the tag `ml-api`, to the daemon in a container that knows the node by its name alone.
async fn delivers_by_name(
    engine: &Engine,
    node: &Node,
    namespace: &str,
    variables: &[&str],
    arguments: &[&str],
) {
    make_image(engine);
    let hosts = format!("FOREBAY_ELASTICSEARCH__HOSTS={}", by_name(node));
    let index = format!("FOREBAY_ELASTICSEARCH__INDEX=logs-{{tag}}-{namespace}");
    let variables = [variables, &[&hosts, &index]].concat();
    let daemon = Contained::run(engine, "forebay", &variables, arguments);
    daemon.until_healthy().await;
    let script = format!("n=0; while [ $n -lt {EVENTS} ]; do echo \"{{\\\"n\\\":$n}}\"; n=$((n + 1)); done");
    engine.run("app", daemon.forward, &["tag=ml-api", "fluentd-request-ack=true"], &[], &script);
    engine.until_ended("app").await;
    daemon.until_drained().await;
    let held = node.api.documents(&format!("logs-ml_api-{namespace}"), EVENTS as usize).await;
    assert_every_one_once(0..EVENTS, numbers(sources(&held)));
    for document in sources(&held) {
        assert_eq!(
            (document["tag"].as_str(), document["container_name"].as_str()),
            (Some("ml-api"), Some("app"))
        );
    }
    assert_eq!(daemon.stop(), 0);
}

/// The node's address by the name.
fn by_name(node: &Node) -> String {
    let url = node.api.url.replace("127.0.0.1", SERVICE).replace("localhost", SERVICE);
    assert_ne!(url, node.api.url);
    url
}

async fn volume_outlives_container() {
    let node = shared(Version::Elasticsearch8).await;
    let engine = Engine::start().await;
    make_image(&engine);
    let nobody = format!("FOREBAY_ELASTICSEARCH__HOSTS=http://127.0.0.1:{}", free_port());
    let first = Contained::run(&engine, "first", &[&nobody], &[]);
    first.until_listens().await;
    load::send(([127, 0, 0, 1], first.forward).into(), "container-volume", 0..EVENTS).await;
    assert_eq!(first.stop(), 0);
    engine.must(&["rm", "first"]);
    let hosts = format!("FOREBAY_ELASTICSEARCH__HOSTS={}", node.api.url);
    let second = Contained::run(&engine, "second", &[&hosts], &[]);
    let held = node.api.documents("logs-container_volume-default", EVENTS as usize).await;
    assert_every_one_once(0..EVENTS, numbers(sources(&held)));
    second.until_drained().await;
    assert_eq!(second.stop(), 0);
}
