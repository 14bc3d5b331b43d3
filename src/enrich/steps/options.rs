//! The keys of a step's table.

/// A `[[pipeline.step]]` table: one of the steps, and when.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StepOptions {
    /// The condition under which an event is taken through; all are without one.
    pub when: Option<String>,
    /// Fields and their values.
    pub set: Option<Vec<(String, SetValue)>>,
    /// Old names and new ones.
    pub rename: Option<Vec<(String, String)>>,
    /// Names of what is copied, and of what it is copied to.
    pub copy: Option<Vec<(String, String)>>,
    /// What is taken out.
    pub remove: Option<Vec<String>>,
    /// What alone stays.
    pub keep: Option<Vec<String>>,
    /// Fields and their types.
    pub convert: Option<Vec<(String, Convert)>>,
    /// Fields and what stands between their parts.
    pub split: Option<Vec<(String, String)>>,
    /// Fields and what is put between their elements.
    pub join: Option<Vec<(String, String)>>,
    /// Fields that lose the blanks around their texts.
    pub trim: Option<Vec<String>>,
    /// Fields in lower case.
    pub lower: Option<Vec<String>>,
    /// Fields in upper case.
    pub upper: Option<Vec<String>>,
    /// What a regex finds.
    pub replace: Option<ReplaceOptions>,
}

/// What `set` gives a field.
#[derive(Clone, Debug, PartialEq)]
pub enum SetValue {
    /// A template.
    Text(String),
    /// A whole number.
    Whole(i64),
    /// A number with a fraction.
    Broken(f64),
    /// A truth.
    Truth(bool),
}

/// What a value is converted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Convert {
    /// A whole number.
    Int,
    /// A number.
    Float,
    /// True or false.
    Bool,
    /// The text of an address.
    Ip,
    /// A number of units of time.
    Duration,
    /// A number of bytes.
    Bytes,
    /// A text.
    Text,
}

/// `replace = { field = "path", pattern = '…', with = "…" }`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReplaceOptions {
    /// The field.
    pub field: String,
    /// What is looked for.
    pub pattern: String,
    /// What takes its place.
    pub with: String,
}
