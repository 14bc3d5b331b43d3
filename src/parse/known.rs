//! The names of what formats recognise, in two schemas.
//!
//! `plain` has short names of our own for what a format without names says, and keeps those that a sender chose, but for
//! `level` and `message`. `ecs` is the Elastic Common Schema, so that Kibana's views and detection rules find what they look
//! for: <https://www.elastic.co/docs/reference/ecs/ecs-field-reference>.

use crate::event::{Name, is_plain_name};

/// Which names fields get.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Schema {
    /// The sender's, and short ones.
    #[default]
    Plain,
    /// Those of the Elastic Common Schema.
    Ecs,
}

/// One thing that formats recognise, under its names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    plain: &'static str,
    ecs: &'static str,
    /// Which of the two are plain names.
    are_plain: (bool, bool),
}

impl Known {
    /// In both schemas; the names are legal field names.
    pub(crate) const fn new(plain: &'static str, ecs: &'static str) -> Self {
        let are_plain = (is_plain_name(plain), is_plain_name(ecs));
        Self { plain, ecs, are_plain }
    }

    /// The name of a field in `schema`.
    #[inline]
    pub(crate) fn field(self, schema: Schema) -> Name<'static> {
        match (schema, self.are_plain) {
            (Schema::Plain, (true, _)) => Name::known_plain(self.plain),
            (Schema::Ecs, (_, true)) => Name::known_plain(self.ecs),
            _ => Name::any(self.name(schema)),
        }
    }

    pub(crate) fn name(self, schema: Schema) -> &'static str {
        match schema {
            Schema::Plain => self.plain,
            Schema::Ecs => self.ecs,
        }
    }
}

macro_rules! known {
    ($($constant:ident $plain:literal $ecs:literal;)*) => {
        $(pub(crate) const $constant: Known = Known::new($plain, $ecs);)*
    };
}

known! {
    LEVEL "level" "log.level";
    LOGGER "logger" "log.logger";
    THREAD "thread" "process.thread.name";
    THREAD_ID "thread_id" "process.thread.id";
    PID "pid" "process.pid";
    PROGRAM "program" "process.name";
    HOST "host" "host.hostname";
    FILE "file" "log.origin.file.name";
    LINE "line" "log.origin.file.line";
    FUNCTION "function" "log.origin.function";
    SERVICE "service" "service.name";
    ERROR "error" "error.message";
    ERROR_CODE "error_code" "error.code";
    STACK "stack" "error.stack_trace";
    TRACE_ID "trace_id" "trace.id";
    SPAN_ID "span_id" "span.id";

    CLIENT "client" "source.address";
    CLIENT_IP "client_ip" "source.ip";
    CLIENT_PORT "client_port" "source.port";
    SERVER "server" "destination.domain";
    SERVER_IP "server_ip" "destination.ip";
    SERVER_PORT "server_port" "destination.port";
    VIRTUAL_HOST "vhost" "url.domain";
    USER "user" "user.name";
    DATABASE "database" "db.name";
    METHOD "method" "http.request.method";
    URL "url" "url.original";
    PROTOCOL "protocol" "http.version";
    STATUS "status" "http.response.status_code";
    BYTES "bytes" "http.response.body.bytes";
    REQUEST_BYTES "request_bytes" "http.request.bytes";
    REFERRER "referrer" "http.request.referrer";
    USER_AGENT "user_agent" "user_agent.original";
    REQUEST_ID "request_id" "http.request.id";
    DURATION "duration" "event.duration";
    UPSTREAM "upstream" "upstream.address";
    UPSTREAM_DURATION "upstream_duration" "upstream.duration";

    FACILITY "facility" "log.syslog.facility.name";
    SEVERITY "severity" "log.syslog.severity.name";
    MESSAGE_ID "message_id" "log.syslog.msgid";
    STREAM "stream" "stream";
}

/// The field that takes a stack trace.
pub fn stack_name(schema: Schema) -> &'static str {
    STACK.name(schema)
}
