//! An action of a `_bulk` body.

use serde::Deserialize;

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
enum Line {
    Create(Meta),
    Index(Meta),
    Update(serde::de::IgnoredAny),
    Delete(serde::de::IgnoredAny),
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Meta {
    #[serde(rename = "_index")]
    index: Option<String>,
    #[serde(rename = "_id")]
    id: Option<String>,
}

impl Action {
    /// Nothing where the line is none.
    pub(super) fn read(line: &[u8]) -> Option<Self> {
        Some(match serde_json::from_slice(line).ok()? {
            Line::Create(meta) | Line::Index(meta) => {
                Self::Put { index: meta.index.unwrap_or_default(), id: meta.id.unwrap_or_default() }
            }
            Line::Update(_) => Self::Update,
            Line::Delete(_) => Self::Delete,
        })
    }
}
