//! The keys of `redact`, with their defaults.

use crate::units::Secret;

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Fields that are named like secrets.
    Names,
    /// Card numbers.
    Cards,
    /// E-mail addresses.
    Emails,
    /// IP addresses.
    Ips,
    /// JSON web tokens, and what an `Authorization` header has.
    Tokens,
    /// Keys of clouds and services, private keys.
    Keys,
    /// User and password in URLs.
    Urls,
}

/// What becomes of what is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RedactAction {
    /// A fixed text stands in its place.
    #[default]
    Mask,
    /// A keyed hash does, by which equal ones can still be told.
    Hash,
    /// It is left out.
    Remove,
}

/// A `redact` step.
#[derive(Clone, Debug, PartialEq)]
pub struct RedactOptions {
    /// What is looked for.
    pub find: Vec<Family>,
    /// Names of secrets beside the well-known ones.
    pub names: Vec<String>,
    /// Regexes of secrets beside the well-known ones.
    pub patterns: Vec<String>,
    /// What becomes of what is found.
    pub action: RedactAction,
    /// What stands in its place.
    pub mask: String,
    /// Last digits of a card number that stay behind the mask.
    pub keep_last: usize,
    /// The key of the hashes.
    pub hash_key: Option<Secret>,
    /// Whether names of fields are looked through like texts.
    pub whole_documents: bool,
}

impl Default for RedactOptions {
    /// IP addresses are left: access logs are of little use without, and they are no secret to most.
    fn default() -> Self {
        use Family::{Cards, Emails, Keys, Names, Tokens, Urls};
        Self {
            find: vec![Names, Cards, Emails, Tokens, Keys, Urls],
            names: Vec::new(),
            patterns: Vec::new(),
            action: RedactAction::Mask,
            mask: "[REDACTED]".into(),
            keep_last: 0,
            hash_key: None,
            whole_documents: false,
        }
    }
}
