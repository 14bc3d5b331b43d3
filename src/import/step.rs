//! A step of a pipeline, before it is printed: which events take it, by where their line is, and what it does to fields.

use super::line::{self, ALONE, BESIDE};
use super::words::{inline, list, quote};

/// Which events take a step, by where their line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    All,
    /// Those without a `log`: their line, if they have one, is `message`.
    Alone,
    /// Those whose `log` is beside a `message`.
    Beside,
}

/// A condition as it is where the line may be `message`, and where `log` is a field like others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) here: String,
    pub(super) by_name: String,
}

impl Condition {
    /// One that does not look at the line.
    pub(super) fn plain(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { by_name: text.clone(), here: text }
    }

    /// Both of its forms, each made into another.
    pub(super) fn map(&self, write: impl Fn(&str) -> String) -> Self {
        Self { here: write(&self.here), by_name: write(&self.by_name) }
    }

    pub(super) fn not(&self) -> Self {
        self.map(|text| format!("not ({text})"))
    }

    /// Several, with a word of conditions between them.
    pub(super) fn join(all: &[&Self], between: &str) -> Self {
        let join =
            |form: fn(&Self) -> &str| all.iter().map(|one| form(one)).collect::<Vec<_>>().join(between);
        Self { here: join(|one| &one.here), by_name: join(|one| &one.by_name) }
    }

    /// Whether it looks at the line.
    pub(super) fn names_line(&self) -> bool {
        self.here != self.by_name
    }
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Remove(Vec<String>),
    Keep(Vec<String>),
    /// Names as the other program has them, and templates.
    Set(Vec<(String, String)>),
    Rename(String, String),
    Copy(String, String),
    Nest {
        under: String,
        fields: Vec<String>,
        strip: Option<String>,
    },
    /// A key that takes nothing from the line, and its value in TOML.
    Other(&'static str, String),
}

/// What is done, and to which events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) of: Of,
    pub(super) when: Vec<Condition>,
    /// A field that must not be there yet.
    pub(super) unless: Option<String>,
    pub(super) action: Action,
}

impl Step {
    /// One for all events.
    pub(super) fn new(action: Action) -> Self {
        Self { of: Of::All, when: Vec::new(), unless: None, action }
    }

    /// The same for events that fulfil a condition.
    pub(super) fn when(self, condition: Condition) -> Self {
        Self { when: vec![condition], ..self }
    }

    /// Ends events.
    pub(super) fn drop(when: Condition) -> Self {
        Self::new(Action::Other("drop", "true".into())).when(when)
    }

    /// Whether it names the line.
    pub(super) fn names_line(&self) -> bool {
        let keeps =
            matches!(&self.action, Action::Keep(names) if names.iter().any(|name| name == line::LINE));
        self.of != Of::All || keeps || self.when.iter().any(Condition::names_line)
    }

    /// Its keys and their values in TOML.
    pub(super) fn keys(&self) -> Vec<(&'static str, String)> {
        let of = match self.of {
            Of::All => None,
            Of::Alone => Some("not exists log".to_owned()),
            Of::Beside => Some("exists log".to_owned()),
        };
        let when = self.when.iter().map(|one| one.here.clone());
        let unless = self.unless.iter().map(|name| format!("not exists {name}"));
        let when: Vec<String> = of.into_iter().chain(when).chain(unless).collect();
        let when = (!when.is_empty()).then(|| ("when", quote(&when.join(" and "))));
        when.into_iter().chain(Some(self.action())).collect()
    }

    fn action(&self) -> (&'static str, String) {
        let pair = |from: &str, to: &str| inline(&[(from.to_owned(), quote(to))]);
        match &self.action {
            Action::Remove(names) => ("remove", list(names)),
            Action::Keep(names) => ("keep", list(names)),
            Action::Set(fields) => ("set", self.set(fields)),
            Action::Rename(from, to) => ("rename", pair(from, to)),
            Action::Copy(from, to) => ("copy", pair(from, to)),
            Action::Nest { under, fields, strip } => {
                let mut keys = vec![("under".to_owned(), quote(under)), ("fields".to_owned(), list(fields))];
                keys.extend(strip.as_ref().map(|strip| ("strip".to_owned(), quote(strip))));
                ("nest", inline(&keys))
            }
            Action::Other(key, value) => (key, value.clone()),
        }
    }

    fn set(&self, fields: &[(String, String)]) -> String {
        let line = if self.of == Of::Alone { ALONE } else { BESIDE };
        let named = |(name, text): &(String, String)| (line::named(name, line).to_owned(), quote(text));
        inline(&fields.iter().map(named).collect::<Vec<_>>())
    }
}
