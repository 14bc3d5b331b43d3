//! Containers of the Docker Engine: `/var/lib/docker/containers/ID/ID-json.log`, `config.v2.json` and `hostconfig.json` beside it.

use std::collections::HashMap;
use std::path::Path;

use serde::Deserialize;

use super::Identity;
use crate::input::file::Fixed;

/// Digits of a container's id, and of its short form.
const DIGITS: usize = 64;
const SHORT: usize = 12;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Container {
    name: String,
    image: String,
    config: Settings,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Settings {
    image: String,
    labels: Option<HashMap<String, String>>,
    env: Option<Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Host {
    log_config: LogConfig,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct LogConfig {
    config: HashMap<String, String>,
}

/// The container whose file `name` at `path` is; `read` gives what lies beside it.
pub(super) fn of(path: &Path, name: &str, read: &dyn Fn(&Path) -> Option<Vec<u8>>) -> Option<Identity> {
    let id = name.split_once("-json.log")?.0;
    if id.len() != DIGITS || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut fixed = Fixed::default();
    fixed.text("container_id", id);
    let container: Option<Container> = beside(path, "config.v2.json", read);
    let Some(container) = container.filter(|container| !container.name.is_empty()) else {
        return Some(Identity { tag: short(id).to_owned(), fixed, ..Identity::default() });
    };
    fixed.text("container_name", &container.name);
    let host: Host = beside(path, "hostconfig.json", read).unwrap_or_default();
    let options = &host.log_config.config;
    let template = options.get("tag").filter(|template| !template.is_empty());
    let tag = template.and_then(|template| render(template, id, &container));
    let labels = labels(&container.config, options);
    Some(Identity { tag: tag.unwrap_or_else(|| plain_name(&container).to_owned()), fixed, labels })
}

/// The labels and variables that the log options `labels` and `env` name, as the driver tells them with each line.
fn labels(settings: &Settings, options: &HashMap<String, String>) -> Fixed {
    let mut fixed = Fixed::default();
    let names = |option: &str| options.get(option).map(String::as_str).unwrap_or_default().split(',');
    for name in names("labels") {
        let labels = settings.labels.as_ref();
        labels.and_then(|labels| labels.get(name)).iter().for_each(|text| fixed.text(name, text));
    }
    let variables = settings.env.iter().flatten().filter_map(|variable| variable.split_once('='));
    for (name, text) in variables.filter(|(name, _)| names("env").any(|asked| asked == *name)) {
        fixed.text(name, text);
    }
    fixed
}

fn beside<T: for<'de> Deserialize<'de>>(
    path: &Path,
    name: &str,
    read: &dyn Fn(&Path) -> Option<Vec<u8>>,
) -> Option<T> {
    serde_json::from_slice(&read(&path.with_file_name(name))?).ok()
}

fn short(id: &str) -> &str {
    id.get(..SHORT).unwrap_or(id)
}

fn plain_name(container: &Container) -> &str {
    container.name.trim_start_matches('/')
}

/// The tag that a template of plain names makes; nothing where it asks for more.
fn render(template: &str, id: &str, container: &Container) -> Option<String> {
    let mut tag = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}")?;
        tag.push_str(before);
        tag.push_str(value(name.trim(), id, container)?);
        rest = after;
    }
    tag.push_str(rest);
    Some(tag)
}

fn value<'v>(name: &str, id: &'v str, container: &'v Container) -> Option<&'v str> {
    let image = container.image.strip_prefix("sha256:").unwrap_or(&container.image);
    Some(match name {
        ".ID" => short(id),
        ".FullID" => id,
        ".Name" => plain_name(container),
        ".ImageID" => short(image),
        ".ImageFullID" => &container.image,
        ".ImageName" => &container.config.image,
        ".DaemonName" => "docker",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn container(files: &[(&str, &str)], log: &str) -> Identity {
        let root = tempfile::tempdir().expect("a folder");
        let folder = root.path().join("containers").join(ID);
        std::fs::create_dir_all(&folder).expect("a folder");
        for (name, text) in files {
            std::fs::write(folder.join(name), text).expect("a file");
        }
        Identity::of(&folder.join(format!("{ID}{log}")))
    }

    fn fields(pairs: &[(&str, &str)]) -> Fixed {
        let mut fixed = Fixed::default();
        pairs.iter().for_each(|(name, text)| fixed.text(name, text));
        fixed
    }

    #[test]
    fn a_container_is_told_as_its_driver_would_tell_it() {
        let config = r#"{"ID":"x","Name":"/ml-api-1","Image":"sha256:aabbccddeeff00112233","Config":{"Image":"ml-api:7"}}"#;
        let expected = fields(&[("container_id", ID), ("container_name", "/ml-api-1")]);
        for (host, tag) in [
            ("", "ml-api-1"),
            ("{", "ml-api-1"),
            (r#"{"LogConfig":{"Type":"json-file","Config":{"max-size":"10m"}}}"#, "ml-api-1"),
            (r#"{"LogConfig":{"Config":{"tag":"shop"}}}"#, "shop"),
            (r#"{"LogConfig":{"Config":{"tag":"{{.ID}}"}}}"#, "0123456789ab"),
            (
                r#"{"LogConfig":{"Config":{"tag":"docker.{{.Name}}/{{ .ImageName }}"}}}"#,
                "docker.ml-api-1/ml-api:7",
            ),
            (r#"{"LogConfig":{"Config":{"tag":"{{.ImageID}}.{{.DaemonName}}"}}}"#, "aabbccddeeff.docker"),
            (r#"{"LogConfig":{"Config":{"tag":"{{ (.ExtraAttributes nil).a }}"}}}"#, "ml-api-1"),
        ] {
            let told = container(&[("config.v2.json", config), ("hostconfig.json", host)], "-json.log.1.gz");
            assert_eq!((told.tag.as_str(), told.fixed), (tag, expected.clone()), "{host}");
        }
    }

    #[test]
    fn labels_and_variables_that_its_log_options_name_are_told_and_no_others() {
        let config =
            r#"{"Name":"/a","Config":{"Labels":{"team":"a","more":"b"},"Env":["STAGE=live","KEY=secret"]}}"#;
        for (host, told) in [
            ("", &[][..]),
            (
                r#"{"LogConfig":{"Config":{"labels":"team,none","env":"STAGE"}}}"#,
                &[("team", "a"), ("STAGE", "live")],
            ),
        ] {
            let identity = container(&[("config.v2.json", config), ("hostconfig.json", host)], "-json.log");
            assert_eq!(identity.labels, fields(told), "{host}");
        }
        let none = r#"{"Name":"/a","Config":{"Labels":null,"Env":null}}"#;
        let host = r#"{"LogConfig":{"Config":{"labels":"team"}}}"#;
        let identity = container(&[("config.v2.json", none), ("hostconfig.json", host)], "-json.log");
        assert_eq!((identity.tag.as_str(), identity.labels), ("a", Fixed::default()));
    }

    #[test]
    fn without_its_configuration_a_container_has_its_id_alone() {
        for files in [&[][..], &[("config.v2.json", "{}")], &[("config.v2.json", "no JSON")]] {
            let told = container(files, "-json.log");
            assert_eq!((told.tag.as_str(), told.fixed), ("0123456789ab", fields(&[("container_id", ID)])));
        }
    }
}
