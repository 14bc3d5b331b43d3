//! `user_agent`, `geoip` and `docker_metadata`: what rules, files and an engine know of a value.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::{applied, around, fault, options, through};
use crate::enrich::containers::tests::docker::Docker;
use crate::enrich::steps::Steps;

const EDGE: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 \
                    Safari/537.36 Edg/125.0.0.0";

fn database(name: &str) -> String {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/geoip").join(name).display().to_string()
}

fn geoip(more: &str) -> String {
    let (cities, networks) = (database("cities.mmdb"), database("networks.mmdb"));
    format!("geoip = {{ database = ['{cities}', '{networks}']{more} }}")
}

#[test]
fn user_agent_names_browser_system_and_device_and_the_agent_stays() {
    let expected = |original: Value| {
        json!({"user_agent.original": original, "user_agent.name": "Edge", "user_agent.version": "125.0.0.0",
               "user_agent.os.name": "Windows", "user_agent.os.version": "10"})
    };
    assert_eq!(applied("user_agent = {}", json!({"user_agent": EDGE})), expected(json!(EDGE)));
    assert_eq!(applied("user_agent = {}", json!({"user_agent.original": EDGE})), expected(json!(EDGE)));
    let mut beside = expected(json!("own"));
    beside.as_object_mut().expect("an object").insert("forebay.user_agent.original".into(), json!(EDGE));
    assert_eq!(
        applied(
            "user_agent = { field = 'user_agent' }",
            json!({"user_agent.original": "own", "user_agent": EDGE})
        ),
        beside
    );
    assert_eq!(
        applied(
            "user_agent = { field = 'req.agent', target = 'ua' }",
            json!({"req": {"agent": "curl/8.5.0"}})
        ),
        json!({"req": {"agent": "curl/8.5.0"}, "ua.name": "curl", "ua.version": "8.5.0"})
    );
}

#[test]
fn user_agent_never_leaves_a_text_where_others_have_an_object() {
    for agent in ["-", "", "my own program"] {
        let expected = json!({"user_agent.original": agent});
        assert_eq!(applied("user_agent = {}", json!({"user_agent": agent})), expected);
    }
    assert_eq!(
        applied("user_agent = { field = 'a', target = 'a.parsed' }", json!({"a": "curl/8.5.0"})),
        json!({"a.parsed.original": "curl/8.5.0", "a.parsed.name": "curl", "a.parsed.version": "8.5.0"})
    );
}

#[test]
fn user_agent_leaves_alone_what_is_no_text_and_fields_that_are_there() {
    for record in [
        json!({}),
        json!({"user_agent": 5}),
        json!({"user_agent": null}),
        json!({"user_agent": {"name": "x"}}),
    ] {
        assert_eq!(applied("user_agent = {}", record.clone()), record);
    }
    assert_eq!(
        applied("user_agent = {}", json!({"user_agent": "curl/8.5.0", "user_agent.name": "own"})),
        json!({"user_agent.original": "curl/8.5.0", "user_agent.name": "own", "forebay.user_agent.name": "curl",
               "user_agent.version": "8.5.0"})
    );
    let hostile = format!("{}\u{0}\"\n", "Mozilla/5.0 (Linux; Android ".repeat(100));
    let document = applied("user_agent = {}", json!({"user_agent": hostile.clone()}));
    assert_eq!(document.get("user_agent.original"), Some(&json!(hostile)));
    assert_eq!(fault("user_agent = { field = '@timestamp' }").get(..19), Some("user_agent: field: "));
    assert!(fault("user_agent = { target = '' }").starts_with("user_agent: target: "));
}

#[test]
fn geoip_tells_place_and_network_beside_the_address() {
    let known = json!({"source.address": "203.0.113.7", "source.geo.continent_code": "NA",
                       "source.geo.continent_name": "North America", "source.geo.country_iso_code": "CA",
                       "source.geo.country_name": "Canada", "source.geo.region_iso_code": "CA-QC",
                       "source.geo.region_name": "Quebec", "source.geo.city_name": "Montréal",
                       "source.geo.postal_code": "H2X", "source.geo.timezone": "America/Toronto",
                       "source.geo.location": {"lat": 45.5, "lon": -73.625},
                       "source.as.number": 64496, "source.as.organization.name": "Example Networks"});
    assert_eq!(applied(&geoip(""), json!({"source.address": "203.0.113.7"})), known);
    assert_eq!(
        applied(&geoip(""), json!({"client": "[2001:db8::1]:443", "geo.city_name": "own"})),
        json!({"client": "[2001:db8::1]:443", "geo.country_iso_code": "GB", "geo.country_name": "United Kingdom",
               "geo.region_iso_code": "GB-WBK", "geo.region_name": "West Berkshire", "geo.city_name": "own",
               "forebay.geo.city_name": "Boxford"})
    );
    assert_eq!(
        applied(&geoip(", field = 'req.ip', target = 'peer'"), json!({"req": {"ip": "::ffff:198.51.100.1"}})),
        json!({"req": {"ip": "::ffff:198.51.100.1"}, "peer.geo.country_iso_code": "SE", "peer.geo.country_name": "Sweden"})
    );
}

#[test]
fn geoip_adds_nothing_for_what_nobody_knows_or_is_no_address() {
    for record in [
        json!({}),
        json!({"client": "10.0.0.1"}),
        json!({"client": "fd00::1"}),
        json!({"client": "8.8.8.8"}),
        json!({"client": "localhost"}),
        json!({"client": ""}),
        json!({"client": "203.0.113.7, 10.0.0.1"}),
        json!({"client": 3405803783_u32}),
        json!({"client": ["203.0.113.7"]}),
        json!({"client": {"address": "10.0.0.1"}}),
    ] {
        assert_eq!(applied(&geoip(""), record.clone()), record);
    }
}

#[test]
fn geoip_takes_what_is_right_of_a_record_that_is_odd() {
    assert_eq!(
        applied(&geoip(""), json!({"client": "192.0.2.1"})),
        json!({"client": "192.0.2.1", "geo.timezone": "Europe/Berlin"})
    );
}

#[test]
fn geoip_without_a_good_database_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("cut.mmdb");
    let whole = fs::read(database("cities.mmdb")).expect("a fixture");
    let shown = path.display();
    let toml = format!("geoip = {{ database = '{shown}' }}");
    for length in [0, 1, 100, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, whole.get(..length).unwrap_or_default()).expect("a file");
        let fault = fault(&toml);
        assert!(fault.starts_with(&format!("geoip: database: cannot read `{shown}`: ")), "{length}: {fault}");
    }
    assert!(fault("geoip = { database = '/nonexistent/a.mmdb' }").contains("/nonexistent/a.mmdb"));
    assert!(
        fault(&geoip(", target = 'client'")).contains("cannot hold fields where `client` is the address")
    );
    assert!(crate::config::step("geoip = {}").expect_err("a fault").to_string().contains("database"));
}

#[test]
fn geoip_takes_a_database_that_changes_and_goes_on_with_the_old_one_where_it_is_no_good() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("places.mmdb");
    fs::copy(database("cities.mmdb"), &path).expect("a copy");
    let toml = format!("geoip = {{ database = '{}' }}", path.display());
    let steps = Steps::compile(&[options(&toml)], &around()).expect("good steps");
    assert!(steps.have_files());
    let country = || {
        steps.refresh();
        steps.refresh();
        let document = through(&steps.0, &json!({"client": "203.0.113.7"})).expect("it is kept");
        document.get("geo.country_iso_code").cloned()
    };
    assert_eq!(country(), Some(json!("CA")));
    fs::copy(database("moved.mmdb"), &path).expect("a copy");
    assert_eq!(country(), Some(json!("SE")));
    fs::write(&path, "nonsense").expect("a file");
    assert_eq!(country(), Some(json!("SE")));
}

/// An id as Docker's driver sends it.
const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

#[tokio::test]
async fn docker_metadata_adds_what_the_engine_says_and_keeps_what_is_there() {
    let docker = Docker::start();
    docker.create(ID, "web", json!({ "com.docker.compose.project": "shop", "tier": "front", "team": "a" }));
    let toml = format!("docker_metadata = {{ socket = '{}', labels = ['t*r'] }}", docker.socket().display());
    assert!(fault(&toml).contains("`t*r` has a `*` that is not at its end"));
    let toml = toml.replace("t*r", "ti*");
    let steps = Steps::compile(&[options(&toml)], &around()).expect("good steps");
    let document = |record: Value| through(&steps.0, &record).expect("it is kept");
    assert_eq!(
        document(json!({ "container_id": ID })),
        json!({ "container_id": ID }),
        "nobody has asked yet"
    );
    assert_eq!(steps.engines().next().expect("an engine").warm().await.expect("an answer"), 1);
    assert_eq!(
        document(json!({ "container_id": ID, "container.name": "own" })),
        json!({ "container_id": ID, "container.name": "own", "forebay.container.name": "web",
                "container.image.name": "shop/web", "container.image.tag": "v2", "docker.compose.project": "shop",
                "container.labels.tier": "front" })
    );
    let short = document(json!({ "container": { "id": "0123456789ab" } }));
    assert_eq!(short.get("container.image.name"), Some(&json!("shop/web")));
    for record in [
        json!({}),
        json!({ "container_id": 5 }),
        json!({ "container_id": null }),
        json!({ "container_id": [ID] }),
        json!({ "container_id": "web" }),
        json!({ "container_id": format!("{ID}0") }),
        json!({ "container_id": "ffffffffffff" }),
        json!({ "other": ID }),
    ] {
        assert_eq!(document(record.clone()), record);
    }
    assert!(fault("docker_metadata = { field = '@timestamp' }").starts_with("docker_metadata: field: "));
}
