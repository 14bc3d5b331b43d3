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
