//! The whole of reading: layers, faults and secrets.

mod limits;
mod print;
mod steps;
mod tail;
mod trials;

use std::io::Write;

use super::*;
use crate::log::LogFormat;
use crate::output::{Auth, Compression};
use crate::parse::{Format, Parse};
use crate::units::{ByteSize, Secret};

const NOTHING: [(&str, &str); 0] = [];

fn temporary(content: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(content.as_bytes()).expect("writing a temporary file");
    file
}

fn from_file(content: &str) -> Result<Config, Faults> {
    load(Some(temporary(content).path()), NOTHING, &Overrides::default())
}

fn from_variables(variables: &[(&str, &str)]) -> Result<Config, Faults> {
    load(None, variables.iter().copied(), &Overrides::default())
}

/// The faults without the temporary file's name.
fn faults(content: &str) -> Vec<String> {
    let file = temporary(content);
    let name = format!("{}:", file.path().display());
    let faults = load(Some(file.path()), NOTHING, &Overrides::default()).expect_err(content);
    faults.iter().map(|fault| fault.to_string().replace(&name, "")).collect()
}

fn only_fault(content: &str) -> String {
    let mut all = faults(content);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

#[test]
fn nothing_given_is_the_defaults() {
    assert_eq!(from_variables(&[]).expect("defaults"), Config::default());
}

#[test]
fn a_later_layer_covers_an_earlier_one() {
    let file = temporary(
        "data_dir = \"file\"\n[buffer]\nmemory = \"10MiB\"\ndisk = \"1GiB\"\n[log]\nlevel = \"warn\"",
    );
    let variables = [("FOREBAY_BUFFER__MEMORY", "20MiB"), ("FOREBAY_LOG__LEVEL", "debug"), ("PATH", "/bin")];
    let flags = Overrides { log_level: Some("error".into()), ..Overrides::default() };
    let config = load(Some(file.path()), variables, &flags).expect("layers");
    assert_eq!(config.data_dir, PathBuf::from("file"));
    assert_eq!(config.buffer.disk, ByteSize::gib(1));
    assert_eq!(config.buffer.memory, ByteSize::mib(20));
    assert_eq!(config.log.level, "error");
}

#[test]
fn a_variable_may_name_the_file_and_a_flag_covers_it() {
    let (by_variable, by_flag) = (temporary("data_dir = \"variable\""), temporary("data_dir = \"flag\""));
    let variables = || [("FOREBAY_CONFIG", by_variable.path().as_os_str().to_owned())];
    let config = load(None, variables(), &Overrides::default()).expect("by variable");
    assert_eq!(config.data_dir, PathBuf::from("variable"));
    let config = load(Some(by_flag.path()), variables(), &Overrides::default()).expect("by flag");
    assert_eq!(config.data_dir, PathBuf::from("flag"));
}

#[test]
fn a_missing_file_is_named_by_what_named_it() {
    let fault = from_variables(&[("FOREBAY_CONFIG", "/nonexistent/f.toml")]).expect_err("no such file");
    assert!(fault.to_string().starts_with("FOREBAY_CONFIG: cannot read `/nonexistent/f.toml`: "), "{fault}");
    let fault = load(Some(Path::new("/nonexistent/f.toml")), NOTHING, &Overrides::default());
    let fault = fault.expect_err("no such file").to_string();
    assert!(fault.contains("cannot read `/nonexistent/f.toml`: "), "{fault}");
}

#[test]
fn variables_reach_lists_tables_and_every_type() {
    let config = from_variables(&[
        ("FOREBAY_ELASTICSEARCH__HOSTS", "http://a:9200, https://b:9243/es"),
        ("FOREBAY_ELASTICSEARCH__VERIFY", "false"),
        ("FOREBAY_ELASTICSEARCH__MAX_CONCURRENCY", "9"),
        ("FOREBAY_ELASTICSEARCH__COMPRESSION", "gzip"),
        ("FOREBAY_STOP_TIMEOUT", "2m"),
        ("FOREBAY_FORWARD__0__LISTEN", "127.0.0.1:1"),
        ("FOREBAY_FORWARD__1__LISTEN", "127.0.0.1:2"),
        ("FOREBAY_FORWARD__1__LIMITS__DEPTH", "7"),
        ("FOREBAY_PIPELINE__0__MATCH", "ml-api.**"),
        ("FOREBAY_PIPELINE__0__PARSE", "json"),
        ("FOREBAY_PIPELINE__0__FIELDS__ENV", "prod"),
        ("FOREBAY_PIPELINE__1__FIELDS", "{ zone = \"a\", rack = \"b\" }"),
        ("FOREBAY_PIPELINE__1__TAG_FIELD", ""),
    ])
    .expect("variables");
    let hosts: Vec<&str> = config.elasticsearch.hosts.iter().map(url::Url::as_str).collect();
    assert_eq!(hosts, ["http://a:9200/", "https://b:9243/es"]);
    assert!(!config.elasticsearch.verify);
    assert_eq!(config.elasticsearch.max_concurrency, 9);
    assert_eq!(config.elasticsearch.compression, Compression::Gzip);
    assert_eq!(config.stop_timeout, Duration::from_secs(120));
    assert_eq!(config.forward[0].limits, crate::input::forward::LimitOptions::default());
    assert_eq!((config.forward[1].listen.as_str(), config.forward[1].limits.depth), ("127.0.0.1:2", 7));
    assert_eq!(config.pipelines[0].parse, Parse::Formats(vec![Format::Json.into()]));
    assert_eq!(config.pipelines[0].fields, [("env".into(), "prod".into())]);
    assert_eq!(config.pipelines[1].fields, [("rack".into(), "b".into()), ("zone".into(), "a".into())]);
    assert_eq!(config.pipelines[1].tag_field, None);
}

#[test]
fn a_list_in_a_variable_may_be_toml() {
    let config = from_variables(&[("FOREBAY_ELASTICSEARCH__HOSTS", "[\"http://a\", \"http://b\"]")]);
    assert_eq!(config.expect("a list").elasticsearch.hosts.len(), 2);
}

#[test]
fn flags_replace_listeners_and_keep_their_limits() {
    let file = temporary("[[forward]]\nlisten = \"127.0.0.1:1\"\n[forward.limits]\ndepth = 5\n");
    let flags = Overrides {
        listen: vec!["127.0.0.1:2".into(), "127.0.0.1:3".into()],
        elasticsearch: vec!["http://a".into()],
        http_listen: Some(String::new()),
        log_format: Some("json".into()),
        data_dir: Some("elsewhere".into()),
        log_level: None,
    };
    let variables = [("FOREBAY_ELASTICSEARCH__HOSTS", "http://c,http://d")];
    let config = load(Some(file.path()), variables, &flags).expect("flags");
    let listeners: Vec<_> =
        config.forward.iter().map(|one| (one.listen.as_str(), one.limits.depth)).collect();
    assert_eq!(listeners, [("127.0.0.1:2", 5), ("127.0.0.1:3", 5)]);
    assert_eq!(config.elasticsearch.hosts.len(), 1);
    assert_eq!((config.http.listen.as_str(), config.log.format), ("", LogFormat::Json));
    assert_eq!(config.data_dir, PathBuf::from("elsewhere"));
}

#[test]
fn every_fault_is_told_at_once_with_its_place() {
    let content = "data_dri = \"x\"\n\n[buffer]\nmemory = \"lots\"\nbatch_age = 5\n\n[[forward]]\nlisten = 24224\n\
                   [forward.limits]\n  dept = 3\n\n[elasticsearch]\nhosts = [\"http://a\", \"b:9200\"]\nverify = \"yes\"\n\
                   \n[nonsense]\n";
    let file = temporary(content);
    let variables = [("FOREBAY_BUFER__DISK", "1GiB"), ("FOREBAY_LOG__LEVEL", "wran")];
    let flags = Overrides { listen: vec![":1".into()], ..Overrides::default() };
    let name = format!("{}:", file.path().display());
    let faults = load(Some(file.path()), variables, &flags).expect_err("faults").to_string();
    let told: Vec<String> = faults.lines().map(|line| line.replace(&name, "")).collect();
    assert_eq!(
        told,
        [
            "1:1: data_dri: is not known; did you mean `data_dir`?",
            "4:10: buffer.memory: `lots` is not a size such as \"64MiB\", \"8GiB\" or 1048576",
            "5:13: buffer.batch_age: needs a unit: \"5s\" or \"5ms\"",
            "10:3: forward[0].limits.dept: is not known; did you mean `depth`?",
            "13:22: elasticsearch.hosts: `b:9200` must begin with http:// or https://",
            "14:10: elasticsearch.verify: is text, but takes true or false",
            "16:2: nonsense: is not known; known here are data_dir, stop_timeout, forward, tail, format, pipeline, partial, multiline, \
             buffer, elasticsearch, file, dead_letters, http, log",
            "FOREBAY_BUFER__DISK: is not known; did you mean `FOREBAY_BUFFER`?",
            "FOREBAY_LOG__LEVEL: `wran` is not a level: off, error, warn, info, debug, trace",
            "--listen: `:1` names no address; \"0.0.0.0:1\" listens on all",
        ]
    );
}

#[test]
fn a_broken_file_tells_its_syntax_and_no_guesses() {
    let content = "data_dir =\n[elasticsearch\npassword = \"hunter2\"\n[buffer]\nmemory = \"3GiB\nx..y = 3\n";
    let file = temporary(content);
    let variables = [("FOREBAY_LOG__LEVEL", "wran")];
    let faults = load(Some(file.path()), variables, &Overrides::default()).expect_err("a broken file");
    let name = format!("{}:", file.path().display());
    let told: Vec<String> = faults.iter().map(|fault| fault.to_string().replace(&name, "")).collect();
    let lines: Vec<&str> = told.iter().filter_map(|line| line.split(':').next()).collect();
    assert_eq!(lines, ["1", "2", "5", "6", "FOREBAY_LOG__LEVEL"], "{told:?}");
    assert!(!told.concat().contains("hunter2"), "{told:?}");
}

#[test]
fn contradictions_are_refused_with_advice() {
    for (content, place, advice) in [
        ("[elasticsearch]\npassword = \"x\"", "2:12: elasticsearch.password:", "username"),
        ("[elasticsearch]\nusername = \"x\"", "2:12: elasticsearch.username:", "password_file"),
        (
            "[elasticsearch]\napi_key = \"x\"\nbearer_token = \"y\"",
            "2:11: elasticsearch.api_key:",
            "keep one",
        ),
        (
            "[elasticsearch]\nclient_key = \"/dev/null\"",
            "2:14: elasticsearch.client_key:",
            "client_certificate",
        ),
        ("[elasticsearch]\nclient_certificate = \"/dev/null\"", "2:22:", "client_key"),
        ("[elasticsearch]\nhosts = [\"http://a\"]\nca_file = \"/dev/null\"", "3:11:", "https://"),
        ("[elasticsearch]\nhosts = [\"http://a\", \"http://A:80\"]", "2:9:", "twice"),
        ("[elasticsearch]\nca_file = \"/dev/null/none\"", "2:11:", "cannot read `/dev/null/none`"),
        ("[elasticsearch]\nretry_max = \"1ms\"", "2:13: elasticsearch.retry_max:", "retry_min"),
        ("[buffer]\nbatch_bytes = \"65MiB\"", "2:15: buffer.batch_bytes:", "lower batch_bytes"),
        ("[buffer]\nmemory = \"1MiB\"", "2:10: buffer.memory:", "lower batch_bytes"),
        ("[buffer]\nbatch_documents = 0", "2:19: buffer.batch_documents:", "1 or more"),
        ("[buffer]\nbatch_documents = -1", "2:19:", "out of range"),
        ("[dead_letters]\nkeep = \"1KiB\"", "2:8: dead_letters.keep:", "0 to keep all"),
        ("[forward]\nlisten = \"127.0.0.1:1\"", "forward:", "[[forward]]"),
        ("[http]\nlisten = \"127.0.0.1:24224\"", "http:", "twice"),
        ("[[forward]]\nlisten = \"unix:/a\"\n[[forward]]\nlisten = \"unix:///a\"", "forward:", "twice"),
        ("[[forward]]\nunix_owner = \"0:0\"", "2:14: forward[0].unix_owner:", "no unix socket"),
        ("[[forward]]\nunix_mode = \"0600\"", "2:13: forward[0].unix_mode:", "no unix socket"),
        ("[[forward]]\nlisten = \"unix:/a\"\nunix_mode = \"0999\"", "3:13:", "octal"),
        ("[[forward]]\nlisten = \"unix:/a\"\nunix_owner = \"no-such-user\"", "3:14:", "its number"),
        (
            "[[forward]]\nlisten = \"unix:/a\"\nsource_address_key = \"a\"",
            "3:22: forward[0].source_address_key:",
            "no address",
        ),
        (
            "[[forward]]\nsource_address_key = \"a\"\nsource_hostname_key = \"a\"",
            "3:23: forward[0].source_hostname_key:",
            "name another",
        ),
        (
            "[[forward]]\ntrusted_proxies = \"10.0.0.5\"",
            "2:19: forward[0].trusted_proxies:",
            "proxy_protocol",
        ),
        ("[[forward]]\nproxy_protocol = true\ntrusted_proxies = [\"10.0.0.5/33\"]", "3:20:", "10.1.0.0/16"),
        (
            "[[forward]]\nlisten = \"unix:/a\"\n[forward.security]\nshared_key = \"k\"\nallow_anonymous = false\n\
             [[forward.security.clients]]\nnetwork = \"10.0.0.0/8\"",
            "forward[0].security:",
            "unix socket has no address",
        ),
        ("[[forward]]\nsource_address_key = \"@timestamp\"", "2:22:", "another name"),
        ("[[forward]]\nlinger_timeout = \"1s\"", "2:18: forward[0].linger_timeout:", "\"0s\" resets"),
        ("[[forward]]\nkeepalive_count = 0", "2:19:", "between 1 and 127"),
        ("[[pipeline]]\n[[pipeline]]\nmatch = \"a\"", "pipeline:", "never reached"),
        ("[[pipeline]]\nmatch = \"a.{b\"", "2:9: pipeline[0].match:", "without its other half"),
        ("[[pipeline]]\nhost_field = \"tag\"", "2:14: pipeline[0].host_field:", "name another"),
        ("[[pipeline]]\nfields = { \"@timestamp\" = \"x\" }", "2:10: pipeline[0].fields:", "another name"),
        ("forward = []", "1:11: forward:", "leave it out"),
        ("[[buffer]]\n", "buffer:", "takes a table"),
    ] {
        let fault = only_fault(content);
        assert!(fault.contains(place) && fault.contains(advice), "{content}\n{fault}");
    }
}

#[test]
fn a_secret_comes_from_a_file_without_its_newline() {
    let secret = temporary("s3cret\n");
    let path = secret.path().to_str().expect("a UTF-8 path");
    let expected = Auth::Basic { username: "u".into(), password: Secret::new("s3cret") };
    let content = format!("[elasticsearch]\nusername = \"u\"\npassword_file = \"{path}\"\n");
    assert_eq!(from_file(&content).expect("a key").elasticsearch.auth, expected);
    let config = from_variables(&[
        ("FOREBAY_ELASTICSEARCH__USERNAME", "u"),
        ("FOREBAY_ELASTICSEARCH__PASSWORD_FILE", path),
    ]);
    assert_eq!(config.expect("a variable").elasticsearch.auth, expected);
}

#[test]
fn a_secret_of_a_higher_layer_covers_the_other_form_of_a_lower_one() {
    let secret = temporary("from-file");
    let path = secret.path().to_str().expect("a UTF-8 path");
    let file = temporary("[elasticsearch]\napi_key = \"from-key\"\n");
    let variables = [("FOREBAY_ELASTICSEARCH__API_KEY_FILE", path)];
    let config = load(Some(file.path()), variables, &Overrides::default()).expect("two layers");
    assert_eq!(config.elasticsearch.auth, Auth::ApiKey(Secret::new("from-file")));

    let fault = only_fault(&format!("[elasticsearch]\napi_key = \"k\"\napi_key_file = \"{path}\"\n"));
    assert!(fault.contains("2:11: elasticsearch.api_key: is given twice"), "{fault}");
}

#[test]
fn an_unreadable_secret_is_named_once() {
    let variables = [
        ("FOREBAY_ELASTICSEARCH__USERNAME", "u"),
        ("FOREBAY_ELASTICSEARCH__PASSWORD_FILE", "/nonexistent/password"),
    ];
    let faults = from_variables(&variables).expect_err("unreadable");
    assert_eq!(faults.iter().count(), 1, "{faults}");
    let fault = faults.to_string();
    assert!(
        fault.starts_with("FOREBAY_ELASTICSEARCH__PASSWORD_FILE: cannot read `/nonexistent/password`"),
        "{fault}"
    );
}

#[test]
fn a_user_in_a_url_moves_to_the_credentials() {
    let config = from_variables(&[("FOREBAY_ELASTICSEARCH__HOSTS", "https://elastic:p%40ss+w@a:9200")]);
    let options = config.expect("a user").elasticsearch;
    assert_eq!(options.auth, Auth::Basic { username: "elastic".into(), password: Secret::new("p@ss+w") });
    assert_eq!(options.hosts[0].as_str(), "https://a:9200/");
}

#[test]
fn a_user_in_a_url_and_another_kind_of_credentials_are_refused() {
    for other in ["username = \"u\"\npassword = \"p\"", "api_key = \"k\""] {
        let fault = only_fault(&format!("[elasticsearch]\nhosts = [\"http://e:pw@a\"]\n{other}\n"));
        assert!(fault.contains("elasticsearch.hosts: a URL holds a user"), "{fault}");
    }
    let fault = only_fault("[elasticsearch]\nhosts = [\"http://e:pw@a\", \"http://f:pw@b\"]\n");
    assert!(fault.contains("different users"), "{fault}");
}

#[test]
fn no_fault_and_no_print_shows_a_secret() {
    let content = "[elasticsearch]\nhosts = [\"htp://e:hunter2@a\", \"http://e:hunter2@:bad\"]\n\
                   password = [\"hunter2\"]\napi_key = \"hunter2\"\nbearer_token = \"hunter2\"\n";
    let told = faults(content).join("\n");
    assert!(told.lines().count() >= 3 && !told.contains("hunter2"), "{told}");
    let config = from_variables(&[("FOREBAY_ELASTICSEARCH__API_KEY", "hunter2")]).expect("a key");
    assert!(!format!("{config} {config:?}").contains("hunter2"));
    assert!(config.to_string().contains("api_key = \"***\""), "{config}");
}

#[test]
fn an_empty_variable_takes_a_value_back() {
    let file = temporary("[elasticsearch]\nhosts = [\"http://a\"]\napi_key = \"k\"\n");
    let variables = [("FOREBAY_ELASTICSEARCH__API_KEY", ""), ("FOREBAY_ELASTICSEARCH__HOSTS", "")];
    let config = load(Some(file.path()), variables, &Overrides::default()).expect("taken back");
    assert_eq!(config, Config::default());
}

#[test]
fn variables_that_lead_nowhere_are_refused() {
    for (name, advice) in [
        ("FOREBAY_FORWARD__1__LISTEN", "numbered from 0"),
        ("FOREBAY_FORWARD__0__LISTN", "`FOREBAY_FORWARD__0__LISTEN`"),
        ("FOREBAY_ELASTICSEARCH_HOSTS", "two underscores part table and key: FOREBAY_ELASTICSEARCH__HOSTS"),
        ("FOREBAY_FORWARD", "[[forward]]"),
        ("FOREBAY_DATA_DIR__X", "takes a path"),
        ("FOREBAY_BUFFER", "takes a table"),
    ] {
        let fault = from_variables(&[(name, "x")]).expect_err(name).to_string();
        assert!(fault.contains(name) && fault.contains(advice), "{fault}");
    }
}
