//! The pages' key, with its default.

/// The `[http]` table.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpOptions {
    /// `ADDRESS:PORT`, or empty for none.
    pub listen: String,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self { listen: "127.0.0.1:24231".into() }
    }
}
