//! One container: what the engine says of it, as fields that are ready to be copied into an event.
//!
//! Names and values stand in one text, which an event takes with one copy. A label's dots become `_`, as Beats have it: `app` and
//! `app.version` would be a text and an object under one name, and no index takes both.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use bumpalo::Bump;
use serde::Deserialize;

use super::client::EngineFault;
use crate::event;

/// Bytes of names and values. Labels come last, and those that find no room are left out.
pub(super) const MOST_BYTES: usize = 16 << 10;

/// Which labels become fields.
#[derive(Debug)]
pub(super) struct Labels(Vec<Wanted>);

#[derive(Debug)]
enum Wanted {
    Whole(String),
    Beginning(String),
}

impl Labels {
    pub(super) fn new(names: &[String]) -> Result<Self, String> {
        let one = |name: &String| match name.strip_suffix('*') {
            _ if name.is_empty() => Err("labels: an empty name is no label's".to_owned()),
            Some(beginning) if !beginning.contains('*') => Ok(Wanted::Beginning(beginning.to_owned())),
            None if !name.contains('*') => Ok(Wanted::Whole(name.clone())),
            _ => Err(format!("labels: `{name}` has a `*` that is not at its end")),
        };
        names.iter().map(one).collect::<Result<_, _>>().map(Self)
    }

    fn cover(&self, name: &str) -> bool {
        self.0.iter().any(|wanted| match wanted {
            Wanted::Whole(whole) => whole == name,
            Wanted::Beginning(beginning) => name.starts_with(beginning.as_str()),
        })
    }
}

/// What the engine's answers have in common.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Listed {
    id: String,
    name: String,
    /// As it was named where the container was made.
    image: String,
    labels: BTreeMap<String, String>,
}

/// `GET /containers/json`
pub(super) fn list(body: &[u8]) -> Result<Vec<Listed>, EngineFault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Item {
        id: String,
        names: Option<Vec<String>>,
        image: Option<String>,
        labels: Option<BTreeMap<String, String>>,
    }
    let items: Vec<Item> = serde_json::from_slice(body)?;
    let listed = |item: Item| {
        // Names with a slash in them are those that links of other containers give.
        let is_own = |name: &&String| !name.trim_start_matches('/').contains('/');
        let name = item.names.iter().flatten().find(is_own).cloned().unwrap_or_default();
        let (image, labels) = (item.image.unwrap_or_default(), item.labels.unwrap_or_default());
        Listed { id: item.id, name, image, labels }
    };
    Ok(items.into_iter().map(listed).collect())
}

/// `GET /containers/ID/json`
pub(super) fn inspected(body: &[u8]) -> Result<Listed, EngineFault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Inspected {
        id: String,
        name: Option<String>,
        config: Option<Config>,
    }
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Config {
        image: Option<String>,
        labels: Option<BTreeMap<String, String>>,
    }
    let Inspected { id, name, config } = serde_json::from_slice(body)?;
    let Config { image, labels } = config.unwrap_or_default();
    let (image, labels) = (image.unwrap_or_default(), labels.unwrap_or_default());
    Ok(Listed { id, name: name.unwrap_or_default(), image, labels })
}

/// See the module.
#[derive(Debug)]
pub(super) struct Container {
    id: Box<str>,
    text: Box<str>,
    /// Where in the text each name ends, and its value; one follows the other.
    ends: Box<[(usize, usize)]>,
    gone: Option<Instant>,
}

impl Container {
    pub(super) fn new(listed: &Listed, labels: &Labels) -> Self {
        let mut fields = Collected::default();
        let (image, tag) = reference(&listed.image);
        let compose =
            |name: &str| listed.labels.get(&format!("com.docker.compose.{name}")).map_or("", String::as_str);
        for (name, value) in [
            ("container.name", listed.name.trim_start_matches('/')),
            ("container.image.name", image),
            ("container.image.tag", tag),
            ("docker.compose.project", compose("project")),
            ("docker.compose.service", compose("service")),
        ] {
            fields.add(name.into(), value);
        }
        for (label, value) in listed.labels.iter().filter(|(label, _)| labels.cover(label)) {
            fields.add(format!("container.labels.{}", label.replace('.', "_")), value);
        }
        let Collected { text, ends, .. } = fields;
        Self { id: listed.id.as_str().into(), text: text.into(), ends: ends.into(), gone: None }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Whether `id`, short or whole, is its own.
    pub(super) fn is(&self, id: &str) -> bool {
        self.id.starts_with(id)
    }

    /// Tells its names and values, in `arena`: it may be replaced before the event is written.
    pub(super) fn tell<'a>(&self, arena: &'a Bump, mut tell: impl FnMut(&'a str, &'a str)) {
        let (text, mut from) = (&*arena.alloc_str(&self.text), 0);
        for (name, value) in &self.ends {
            if let (Some(name), Some(value)) = (text.get(from..*name), text.get(*name..*value)) {
                tell(name, value);
            }
            from = *value;
        }
    }

    /// Notes that it is gone, if that was not known before.
    pub(super) fn leave(&mut self, now: Instant) {
        self.gone.get_or_insert(now);
    }

    pub(super) fn is_gone(&self) -> bool {
        self.gone.is_some()
    }

    pub(super) fn is_gone_for(&self, now: Instant) -> Duration {
        self.gone.map_or(Duration::ZERO, |gone| now.saturating_duration_since(gone))
    }
}

/// Fields on their way into one text.
#[derive(Default)]
struct Collected {
    text: String,
    ends: Vec<(usize, usize)>,
    names: HashSet<String>,
}

impl Collected {
    /// Nothing where there is no value, or no room for it.
    fn add(&mut self, name: String, value: &str) {
        let name = event::legal_name(Cow::Owned(name), 1).into_owned();
        let room = MOST_BYTES.saturating_sub(self.text.len());
        if value.is_empty() || name.len() + value.len() > room || !self.names.insert(name.clone()) {
            return;
        }
        self.text.push_str(&name);
        let middle = self.text.len();
        self.text.push_str(value);
        self.ends.push((middle, self.text.len()));
    }
}

/// The name and the tag of `registry:5000/name:tag@sha256:…`; of an image without a name its digest, as a name.
fn reference(image: &str) -> (&str, &str) {
    if image.starts_with("sha256:") {
        return (image, "");
    }
    let named = image.split('@').next().unwrap_or(image);
    match named.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (named, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(listed: &Listed, labels: &[&str]) -> Vec<String> {
        let labels: Vec<String> = labels.iter().map(|label| (*label).to_owned()).collect();
        let container = Container::new(listed, &Labels::new(&labels).expect("good labels"));
        let (arena, mut told) = (Bump::new(), Vec::new());
        container.tell(&arena, |name, value| told.push(format!("{name}={value}")));
        told
    }

    fn listed(image: &str, labels: &[(&str, &str)]) -> Listed {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Listed { id: "0".repeat(64), name: "/web".into(), image: image.into(), labels }
    }

    #[test]
    fn an_image_is_its_name_and_its_tag() {
        for (image, name, tag) in [
            ("nginx", "nginx", ""),
            ("nginx:1.25", "nginx", "1.25"),
            ("registry:5000/shop/web", "registry:5000/shop/web", ""),
            ("registry:5000/shop/web:v2", "registry:5000/shop/web", "v2"),
            ("shop/web:v2@sha256:0123", "shop/web", "v2"),
            ("shop/web@sha256:0123", "shop/web", ""),
            ("sha256:0123", "sha256:0123", ""),
            ("", "", ""),
        ] {
            assert_eq!(reference(image), (name, tag), "{image}");
        }
    }

    #[test]
    fn labels_become_fields_side_by_side_and_compose_has_names_of_its_own() {
        let labels = [
            ("app", "shop"),
            ("app.version", "2"),
            ("com.docker.compose.project", "p"),
            ("com.docker.compose.service", "s"),
        ];
        let common = [
            "container.name=web",
            "container.image.name=nginx",
            "docker.compose.project=p",
            "docker.compose.service=s",
        ];
        assert_eq!(told(&listed("nginx", &labels), &[]), common);
        let some = told(&listed("nginx", &labels), &["app*"]);
        assert_eq!(
            some.get(4..),
            Some(&["container.labels.app=shop".to_owned(), "container.labels.app_version=2".to_owned()][..])
        );
        assert_eq!(told(&listed("nginx", &labels), &["*"]).len(), 8);
        assert_eq!(told(&listed("nginx", &labels), &["app", "nothing"]).len(), 5);
        for name in ["", "a*b", "*a*"] {
            assert!(Labels::new(&[name.to_owned()]).expect_err(name).starts_with("labels: "));
        }
    }

    #[test]
    fn hostile_labels_stay_within_bounds() {
        let long = "x".repeat(MOST_BYTES);
        let labels =
            [("a..b", "1"), ("a", long.as_str()), ("", "2"), ("a__b", "3"), ("_id\n\u{0}", "4"), ("b", "")];
        let told = told(&listed("", &labels), &["*"]);
        assert_eq!(
            told,
            [
                "container.name=web",
                "container.labels=2",
                "container.labels._id\n\u{0}=4",
                "container.labels.a__b=1"
            ]
        );
    }
}
