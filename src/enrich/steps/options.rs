//! The keys of a step's table.

use std::time::Duration;

use crate::enrich::redact::RedactOptions;

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
    /// Fields below an object.
    pub nest: Option<NestOptions>,
    /// Objects to fields.
    pub flatten: Option<FlattenOptions>,
    /// `true`: events end here.
    pub drop: Option<bool>,
    /// A part of the events.
    pub sample: Option<SampleOptions>,
    /// So many events in so much time.
    pub throttle: Option<ThrottleOptions>,
    /// The first of what repeats.
    pub dedupe: Option<DedupeOptions>,
    /// Another index or tag.
    pub route: Option<RouteOptions>,
    /// A template of the name of a container's file.
    pub kubernetes: Option<String>,
    /// What a table says.
    pub lookup: Option<LookupOptions>,
    /// What a user agent names.
    pub user_agent: Option<UserAgentOptions>,
    /// Where an address is.
    pub geoip: Option<GeoIpOptions>,
    /// What the Docker Engine says of a container.
    pub docker_metadata: Option<DockerOptions>,
    /// Limits beyond which fields become text.
    pub guard: Option<GuardOptions>,
    /// What of secrets is taken out.
    pub redact: Option<RedactOptions>,
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

/// `nest = { under = "http", fields = ["status", "http_*"], strip = "http_" }`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NestOptions {
    /// The object.
    pub under: String,
    /// What goes below it.
    pub fields: Vec<String>,
    /// What names lose that begin with it.
    pub strip: Option<String>,
}

/// `flatten = { fields = ["labels"], separator = "_" }`
#[derive(Clone, Debug, PartialEq)]
pub struct FlattenOptions {
    /// The objects.
    pub fields: Vec<String>,
    /// What stands between the names.
    pub separator: String,
}

impl Default for FlattenOptions {
    fn default() -> Self {
        Self { fields: Vec::new(), separator: ".".into() }
    }
}

/// `sample = { rate = 0.1, by_level = { DEBUG = 0.01 }, key = "trace_id" }`
#[derive(Clone, Debug, PartialEq)]
pub struct SampleOptions {
    /// The part that stays, from 0 to 1.
    pub rate: f64,
    /// The part of the events of a level.
    pub by_level: Vec<(String, f64)>,
    /// The field whose values are kept or dropped whole.
    pub key: Option<String>,
}

impl Default for SampleOptions {
    fn default() -> Self {
        Self { rate: 1.0, by_level: Vec::new(), key: None }
    }
}

/// `throttle = { key = "{container_name}", events = 1000, per = "1s" }`
#[derive(Clone, Debug, PartialEq)]
pub struct ThrottleOptions {
    /// A template of what is counted by.
    pub key: String,
    /// How many go on…
    pub events: u64,
    /// …in this time.
    pub per: Duration,
}

impl Default for ThrottleOptions {
    fn default() -> Self {
        Self { key: "{tag}".into(), events: 1_000, per: Duration::from_secs(1) }
    }
}

/// `dedupe = { key = "{container_id|} {message}", window = "10s" }`
#[derive(Clone, Debug, PartialEq)]
pub struct DedupeOptions {
    /// A template of what is the same in events that repeat.
    pub key: String,
    /// How long the first one stands for the others.
    pub window: Duration,
}

impl Default for DedupeOptions {
    fn default() -> Self {
        Self { key: "{tag} {container_id|} {message}".into(), window: Duration::from_secs(10) }
    }
}

/// `route = { index = "audit-%Y.%m", tag = "audit.{tag}" }`, `route = { output = "file" }`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RouteOptions {
    /// The index.
    pub index: Option<String>,
    /// A template of the tag.
    pub tag: Option<String>,
    /// The output.
    pub output: Option<RouteOutput>,
}

/// Where a document goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteOutput {
    /// To `[elasticsearch]`, as without a route.
    Elasticsearch,
    /// To the files of `[file]`.
    File,
}

/// `lookup = { table = "users.csv", key = "{user_id}", into = "user" }`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LookupOptions {
    /// A file: JSON by its name, else CSV.
    pub table: String,
    /// A template of the key.
    pub key: String,
    /// The object that what is found goes into.
    pub into: String,
}

/// `user_agent = { field = "user_agent", target = "user_agent" }`
#[derive(Clone, Debug, PartialEq)]
pub struct UserAgentOptions {
    /// The field; where formats put it without.
    pub field: Option<String>,
    /// The object that what is found goes into.
    pub target: String,
}

impl Default for UserAgentOptions {
    fn default() -> Self {
        Self { field: None, target: "user_agent".into() }
    }
}

/// `geoip = { database = "GeoLite2-City.mmdb", field = "client", target = "source" }`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GeoIpOptions {
    /// Files of addresses.
    pub database: Vec<String>,
    /// The field; where formats put it without.
    pub field: Option<String>,
    /// The object that `geo` and `as` go into; the one that the field is in without.
    pub target: Option<String>,
}

/// `docker_metadata = { socket = "/var/run/docker.sock", labels = ["com.example.*"] }`
#[derive(Clone, Debug, PartialEq)]
pub struct DockerOptions {
    /// The engine's socket.
    pub socket: String,
    /// The field with the container's id; where Docker's driver puts it without.
    pub field: Option<String>,
    /// Labels that become fields: names, or beginnings with a `*` behind.
    pub labels: Vec<String>,
}

impl Default for DockerOptions {
    fn default() -> Self {
        Self { socket: "/var/run/docker.sock".into(), field: None, labels: vec!["*".into()] }
    }
}

/// `guard = { fields = 200, depth = 5, overflow = "overflow" }`
#[derive(Clone, Debug, PartialEq)]
pub struct GuardOptions {
    /// Fields that stay.
    pub fields: usize,
    /// Objects inside one another, the document included.
    pub depth: usize,
    /// The field that takes the rest.
    pub overflow: String,
}

impl Default for GuardOptions {
    fn default() -> Self {
        Self { fields: 200, depth: 5, overflow: "overflow".into() }
    }
}
