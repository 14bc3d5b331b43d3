//! What is printed reads back as the same, and the reference names every key with its default.

use super::*;

/// The reference that operators read.
const REFERENCE: &str = include_str!("../../../conf/forebay.toml");

#[test]
fn the_printed_configuration_reads_back_as_the_same() {
    let content = "data_dir = \"a \\\"b\\\" c\"\nstop_timeout = \"1500ms\"\n\
        [[forward]]\nlisten = \"[::1]:1\"\n[forward.limits]\nframe_bytes = 1048577\nidle_timeout = \"1h\"\n\
        [[forward]]\nlisten = \"127.0.0.1:2\"\nproxy_protocol = true\nudp_heartbeat = false\ndeny_keepalive = true\n\
        source_address_key = \"from\"\nsource_hostname_key = \"host\"\nbacklog = 7\nlinger_timeout = \"0s\"\n\
        send_keepalive_packet = false\nkeepalive_idle = \"2m\"\nkeepalive_interval = \"1s\"\nkeepalive_count = 9\n\
        [[forward]]\nlisten = \"unix:/a b\"\nunix_mode = \"0606\"\nunix_owner = \"7:8\"\n\
        [[tail]]\npaths = [\"/a/*.log\", \"/b/**/c\"]\nexclude = [\"*.gz\"]\ntag = \"x.{path}\"\npath_field = \"\"\n\
        start = \"end\"\nencoding = \"latin-1\"\nline_bytes = \"2KiB\"\npoll = \"2s\"\nrotate_wait = \"0s\"\nclose_idle = \"1h\"\n\
        [[pipeline]]\nmatch = \"a.{b,c}\"\nparse = \"none\"\nfields = { env = \"p\\nq\", \"a b\" = \"\" }\n\
        host_field = \"host\"\ntag_field = \"\"\nindex = \"x-{tag}\"\njoin_partial = false\n\
        [[pipeline.step]]\nwhen = 'a ~ \"x\"'\nset = { a = \"{b}\", c = -5, d = 0.5, e = true, \"f.g\" = \"\" }\n\
        [[pipeline.step]]\nconvert = { a = \"duration\" }\n[[pipeline.step]]\nremove = [\"a*\", \"b\"]\n\
        [[pipeline.step]]\nreplace = { field = \"a\", pattern = '\\d', with = \"$0\" }\n\
        [[pipeline.step]]\nsample = { rate = 1, by_level = { ERROR = 1, DEBUG = 1e-3 }, key = \"t\" }\n\
        [[pipeline.step]]\nthrottle = { per = \"2m\" }\n[[pipeline.step]]\ndedupe = { window = \"1500ms\" }\n\
        [[pipeline.step]]\nredact = { find = [\"cards\", \"ips\"], names = [\"iban\"], patterns = ['o-\\d+'], action = \"remove\" }\n\
        [[pipeline.step]]\nroute = { tag = \"x.{tag}\" }\n[[pipeline.step]]\nguard = { depth = 3 }\n\
        [[pipeline.step]]\nnest = { under = \"a\", fields = [\"b\"] }\n[[pipeline.step]]\ndrop = true\n\
        [[pipeline.step]]\nflatten = { fields = [\"a\"], separator = \"_\" }\n\
        [partial]\nmemory = \"8MiB\"\n[buffer]\nmin_free = 0\n\
        [elasticsearch]\nhosts = [\"https://a:1\", \"https://b\"]\nca_file = \"/dev/null\"\nserver_name = \"es\"\n\
        client_certificate = \"/dev/null\"\nclient_key = \"/dev/null\"\ncompression = \"zstd\"\nsniff = true\n\
        [file]\ndirectory = \"docs\"\ncompression = \"none\"\n[http]\nlisten = \"\"\n\
        [log]\nlevel = \"info,forebay=debug\"\nformat = \"json\"\n";
    let config = from_file(content).expect("a full file");
    assert_eq!(from_file(&config.to_string()).expect("its print"), config);
}

#[test]
fn the_printed_configuration_differs_in_secrets_alone() {
    let variables =
        [("FOREBAY_ELASTICSEARCH__USERNAME", "u"), ("FOREBAY_ELASTICSEARCH__PASSWORD", "hunter2")];
    let config = from_variables(&variables).expect("a secret");
    let mut again = from_file(&config.to_string()).expect("its print");
    assert_eq!(again.elasticsearch.auth, Auth::Basic { username: "u".into(), password: Secret::new("***") });
    again.elasticsearch.auth = config.elasticsearch.auth.clone();
    assert_eq!(again, config);
}

/// `#key = value` to `key = value`; prose has a blank after its `#`.
fn uncommented(reference: &str) -> String {
    let line = |line: &str| match line.strip_prefix('#') {
        Some(key) if key.starts_with(|first: char| first.is_ascii_lowercase()) => format!("{key}\n"),
        _ => format!("{line}\n"),
    };
    reference.lines().map(line).collect()
}

/// `table.key` of every line that sets one, in order.
fn keys(toml: &str) -> Vec<String> {
    let mut table = String::new();
    let mut keys = Vec::new();
    for line in toml.lines() {
        if line.starts_with('[') {
            table = line.split('#').next().unwrap_or_default().trim().to_owned();
        } else if let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) {
            keys.push(format!("{table}.{key}"));
        }
    }
    keys
}

#[test]
fn the_reference_changes_nothing_as_it_is_and_uncommented() {
    assert_eq!(from_file(REFERENCE).expect("the reference"), Config::default());
    assert_eq!(from_file(&uncommented(REFERENCE)).expect("the reference, uncommented"), Config::default());
}

#[test]
fn the_reference_names_every_key_once_with_its_default() {
    let (reference, known) = (uncommented(REFERENCE), Config::default().to_string());
    let mut named = keys(&reference);
    let mut expected = keys(&known);
    named.sort();
    expected.sort();
    assert_eq!(named, expected);
    for line in known.lines().filter(|line| line.contains(" = ")) {
        assert!(reference.lines().any(|named| named == line), "the reference does not have `{line}`");
    }
}

#[test]
fn the_reference_names_every_key_of_a_table_that_is_not_there_by_default() {
    let config = from_file("[[tail]]\npaths = [\"/var/log/app/*.log*\"]\n").expect("a table");
    let printed = config.to_string();
    let keys =
        printed.lines().skip_while(|line| *line != "[[tail]]").skip(1).take_while(|line| !line.is_empty());
    let named: Vec<_> = keys.map(|key| format!("#   {key} ")).collect();
    assert_eq!(named.len(), 10);
    for key in named {
        assert!(
            REFERENCE.lines().any(|line| format!("{line} ").starts_with(&key)),
            "the reference does not have `{key}`"
        );
    }
}
