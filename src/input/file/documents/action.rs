//! An action of a `_bulk` body.

use std::borrow::Cow;

use serde::Deserialize;

use super::name;

/// What a line says is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// The document in the next line is to be there.
    Put {
        /// Empty where the request said it.
        index: String,
        /// Empty for one that the target makes.
        id: String,
    },
    /// A document is to be changed as the next line says.
    Update,
    /// A document is to be gone; nothing follows.
    Delete,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Line<'l> {
    #[serde(borrow)]
    Create(Meta<'l>),
    #[serde(borrow)]
    Index(Meta<'l>),
    Update(serde::de::IgnoredAny),
    Delete(serde::de::IgnoredAny),
}

#[derive(Deserialize)]
struct Meta<'l> {
    #[serde(borrow, default, rename = "_index", deserialize_with = "name::read")]
    index: Cow<'l, str>,
    #[serde(borrow, default, rename = "_id", deserialize_with = "name::read")]
    id: Cow<'l, str>,
}

impl Action {
    /// Nothing where the line is none.
    pub(super) fn read(line: &[u8]) -> Option<Self> {
        Some(match serde_json::from_slice(line).ok()? {
            Line::Create(meta) | Line::Index(meta) => {
                Self::Put { index: meta.index.into_owned(), id: meta.id.into_owned() }
            }
            Line::Update(_) => Self::Update,
            Line::Delete(_) => Self::Delete,
        })
    }
}
