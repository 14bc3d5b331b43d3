//! `forebay try` and the tests of pipelines: what an operator sees of what a pipeline does, without a daemon.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use libtest_mimic::Trial;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::common::daemon::run_to_end;
use crate::common::document::assert_same;
use crate::common::fixtures::{self, Fixture};
use crate::common::story;

pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story("trying::lines_become_the_documents_that_would_be_indexed", lines),
        story("trying::an_explanation_tells_format_steps_index_and_id", explained),
        story("trying::an_explanation_tells_what_is_known_of_agents_addresses_and_containers", known),
        story("trying::captured_frames_become_their_documents", frames),
        story("trying::check_runs_tests_of_pipelines_and_tells_what_differs", checked),
        story("trying::an_imported_configuration_is_read_back_and_what_a_start_would_lack_is_told", imported),
    ]
}

const PIPELINES: &str = r#"
[[pipeline]]
match = "web.**"
parse = "json"
[[pipeline.step]]
when = 'path ~ "^/health"'
drop = true
[[pipeline.step]]
rename = { took = "duration_ms" }
[[pipeline.step]]
when = 'status >= 500'
route = { index = "errors-{tag}" }
"#;

fn folder(configuration: &str) -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    fs::write(folder.path().join("forebay.toml"), configuration).expect("a configuration file");
    folder
}

/// What `forebay try` with these arguments makes of `input`.
fn attempt(arguments: &[&str], folder: &Path, input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_forebay"));
    command.arg("try").args(arguments).current_dir(folder);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    child.stdin.take().expect("its input").write_all(input.as_bytes()).expect("it reads");
    child.wait_with_output().expect("it ends")
}

/// The documents of an output, less what differs from run to run.
fn documents(output: &Output) -> Vec<Value> {
    let text = String::from_utf8_lossy(&output.stdout);
    let document = |line: &str| {
        let mut document: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        document.as_object_mut().expect("an object").remove("event.sequence").expect("every one has it");
        document
    };
    text.lines().map(document).collect()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

async fn lines() {
    let folder = folder(PIPELINES);
    let input = "{\"time\":\"2024-01-15T10:30:45Z\",\"path\":\"/buy\",\"took\":3}\n{\"path\":\"/health\"}\n";
    let output = attempt(&["--config", "forebay.toml", "--source", "stdout"], folder.path(), input);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let expected = json!({ "@timestamp": "2024-01-15T10:30:45Z", "source": "stdout", "path": "/buy", "duration_ms": 3,
                           "tag": "web" });
    let made = documents(&output);
    assert_eq!(made.len(), 1, "{made:?}");
    assert_same(&made[0], &expected);

    let trace = "java.lang.IllegalStateException: no\n\tat a.B.c(B.java:3)\nnext";
    fs::write(folder.path().join("lines.log"), trace).expect("a file");
    let output = attempt(&["--tag", "other", "--file", "lines.log"], folder.path(), "");
    let messages: Vec<_> =
        documents(&output).into_iter().map(|document| document["message"].clone()).collect();
    assert_eq!(messages, ["java.lang.IllegalStateException: no\n\tat a.B.c(B.java:3)", "next"]);

    let output = attempt(&["--config", "forebay.toml", "no json"], folder.path(), "");
    assert_eq!(output.status.code(), Some(1), "a named format does not fit");
    let error = "the line is not json: line 1, byte 2 is not expected there";
    assert_eq!(documents(&output)[0]["parse_error"], error);
    for wrong in [&["--tga", "x"][..], &["--config", "nowhere.toml", "x"]] {
        assert_eq!(attempt(wrong, folder.path(), "").status.code(), Some(2), "{wrong:?}");
    }
    assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 2, "it has made something");
}

async fn explained() {
    let folder = folder(PIPELINES);
    let arguments = ["--config", "forebay.toml", "--explain", "--tag", "web.shop"];
    let line = r#"{"path":"/buy","status":503,"took":3}"#;
    let output = attempt(&[&arguments[..], &[line, r#"{"path":"/health"}"#]].concat(), folder.path(), "");
    let told = told(&output);
    for line in [
        "an event of tag `web.shop`: pipeline[0], match = \"web.**\"",
        "  read as json, which parse names",
        "    + path = \"/buy\"",
        "  fields that are added",
        "    + tag = \"web.shop\"",
        "  step[0] drop = true, when path ~ \"^/health\": does not hold: nothing changes",
        "  step[1] rename = { \"took\" = \"duration_ms\" }",
        "    - took = 3",
        "    + duration_ms = 3",
        "  step[0] drop = true, when path ~ \"^/health\": holds: the event ends here",
        "  step[2] route = { index = \"errors-{tag}\" }, when status >= 500: holds",
        "    ~ _index = logs-web.shop-default -> errors-web.shop",
        "  dropped: filtered",
    ] {
        assert!(told.lines().any(|other| other == line), "{line} is not in\n{told}");
    }
    assert!(told.contains("  index errors-web.shop, _id "), "{told}");
    assert!(!told.contains('\u{1b}'), "no colour, as this is no terminal: {told}");
    assert_eq!(documents(&output).len(), 1);
}

async fn known() {
    let database = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/geoip/cities.mmdb");
    let steps = format!(
        "[[pipeline]]\nmatch = \"web.**\"\n[[pipeline.step]]\nuser_agent = {{}}\n[[pipeline.step]]\ngeoip = {{ database = '{}' }}\n\
         [[pipeline.step]]\ndocker_metadata = {{ socket = 'nowhere.sock' }}\n",
        database.display()
    );
    let folder = folder(&steps);
    let line = "203.0.113.7 - - [15/Jan/2024:10:30:45 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"curl/8.5.0\"";
    let output = attempt(&["--config", "forebay.toml", "--explain", line], folder.path(), "");
    let told = told(&output);
    for line in [
        "docker_metadata adds nothing: cannot connect to `nowhere.sock`: No such file or directory (os error 2); is an engine \
         running, and its socket mounted?",
        "  step[0] user_agent = { target = \"user_agent\" }",
        "    - user_agent = \"curl/8.5.0\"",
        "    + user_agent.original = \"curl/8.5.0\"",
        "    + user_agent.name = \"curl\"",
        "    + geo.city_name = \"Montréal\"",
        "    + geo.location = {\"lat\":45.5,\"lon\":-73.625}",
        "  step[2] docker_metadata = { socket = \"nowhere.sock\", labels = [\"*\"] }: nothing changes",
    ] {
        assert!(told.lines().any(|other| other == line), "{line} is not in\n{told}");
    }
    assert_eq!(documents(&output)[0]["geo.location"], json!({ "lat": 45.5, "lon": -73.625 }));
    let checked = run_to_end(&["check", "--config", "forebay.toml"], folder.path());
    let said = String::from_utf8_lossy(&checked.stderr).into_owned();
    assert!(
        said.contains("wrong: pipeline[0].step[2].docker_metadata: cannot connect to `nowhere.sock`"),
        "{said}"
    );
    fs::write(folder.path().join("forebay.toml"), steps.replace("cities.mmdb", "none.mmdb")).expect("a file");
    let checked = run_to_end(&["check", "--config", "forebay.toml"], folder.path());
    let said = String::from_utf8_lossy(&checked.stderr).into_owned();
    assert!(said.contains("forebay.toml:6:9: ") && said.contains("none.mmdb`: No such file"), "{said}");
}

async fn frames() {
    let folder = folder("");
    // A connection may be cut; a file that is cut is told.
    let is_whole = |fixture: &Fixture| !fixture.has_trouble() && fixture.name != "cut-at-the-end";
    let plain = |fixture: &Fixture| fixture.listener(folder.path()).is_empty() && !fixture.is_datagram();
    for fixture in fixtures::all().into_iter().filter(|fixture| plain(fixture) && is_whole(fixture)) {
        let name = &fixture.name;
        let hex = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/frames").join(format!("{name}.hex"));
        let output = attempt(&["--frame", &hex.display().to_string()], folder.path(), "");
        assert_eq!(output.status.code(), Some(0), "{name}: {}", told(&output));
        let documents = documents(&output);
        assert_eq!(documents.len(), fixture.documents().len(), "{name}");
        documents.iter().zip(fixture.documents()).for_each(|(made, expected)| assert_same(made, expected));
    }
}

const TESTS: &str = r#"
[[pipeline.test]]
input = '{"path":"/buy","status":503,"took":3}'
expect = { status = 503, duration_ms = 3 }
absent = ["took"]
index = "errors-web"
[[pipeline.test]]
input = { log = '{"path":"/health"}' }
dropped = true
"#;

async fn checked() {
    let nowhere = "[[forward]]\nlisten = \"127.0.0.1:0\"\n[http]\nlisten = \"\"\n";
    let check = |tests: &str| {
        let folder = folder(&format!("{PIPELINES}{tests}{nowhere}"));
        let output = run_to_end(&["check", "--config", "forebay.toml"], folder.path());
        (output.status.code(), told(&output))
    };
    let (status, all) = check(TESTS);
    assert_eq!(status, Some(0), "{all}");
    assert!(all.contains("ok: pipeline[0].test: 2 tests passed"), "{all}");

    let (status, all) =
        check(&TESTS.replace("status = 503, ", "status = 500, ").replace("errors-web", "other"));
    assert_eq!(status, Some(1), "{all}");
    let failed = "wrong: pipeline[0].test[0]: forebay.toml:14:1: is not as expected (-) but otherwise (+)\n    - status = 500\n    \
                  + status = 503\n    - index = \"other\"\n    + index = \"errors-web\"\n";
    assert!(all.contains(failed), "{all}");
    assert!(all.contains("ok: pipeline[0].test: 1 test passed"), "{all}");

    let (status, all) = check("[[pipeline.test]]\ninput = 'x'\ntag = 'elsewhere'\ndropped = true\n");
    assert_eq!(status, Some(1), "{all}");
    assert!(all.contains("the tag `elsewhere` does not come here, the defaults take it"), "{all}");
}

async fn imported() {
    let import = |transport: &str| {
        let folder = folder("");
        let text =
            format!("<source>\n@type forward\n{transport}</source>\n<match **>\n@type null\n</match>\n");
        fs::write(folder.path().join("fluent.conf"), text).expect("a configuration file");
        let output = run_to_end(&["import", "fluent.conf"], folder.path());
        (output.status.code(), told(&output), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (status, all, printed) = import("");
    assert_eq!((status, all.as_str()), (Some(0), ""), "{printed}");
    assert!(printed.contains("drop = true"), "{printed}");

    let files = "cert_path /nowhere/a.pem\nprivate_key_path /nowhere/a.key\n";
    let (status, all, printed) = import(&format!("<transport tls>\n{files}</transport>\n"));
    assert_eq!(status, Some(1), "{all}");
    assert!(printed.contains("certificate = \"/nowhere/a.pem\""), "{printed}");
    let lacks = "a start here would refuse what is printed:7:15: forward[0].tls.certificate: cannot read `/nowhere/a.pem`";
    assert!(all.contains(lacks), "{all}");
}
