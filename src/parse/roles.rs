//! What a member with a name of the sender's choice is, as far as its name tells: by what loggers print.
//!
//! Names that business data has as often, `name` or `date`, have no role: it is better to leave a member alone than to take it
//! for what it is not. A text under a name that is an object in the Elastic Common Schema, `host` or `user`, goes in `ecs` to
//! that object's main member, or to its `value`, since Elasticsearch would refuse the document: once any other has `log.level`,
//! the index takes no text `log`.

use crate::event::{self, words};

/// What a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Its time; the lower the number, the surer.
    Time(u8),
    /// Its level.
    Level(u8),
    /// Its text.
    Message(u8),
    /// Something with a name in the Elastic Common Schema.
    Common(&'static str),
    /// The same, if it is a whole number, as that schema wants it.
    Whole(&'static str),
    /// The same, if it is a word and no measure.
    Word(&'static str),
    /// The place in the program, if it is `file:line`.
    Caller,
    /// Nothing, under a name that is an object in the Elastic Common Schema.
    Object(&'static str),
}

/// Where a value goes that has such a name and is not what that schema has there.
pub(crate) fn beside(role: &Role, name: &str) -> Option<&'static str> {
    match (role, name) {
        (Role::Object(beside), _) => Some(beside),
        (Role::Word(_), "service") => Some("service.value"),
        (Role::Word(_), "user") => Some("user.value"),
        (Role::Whole(_), "process") => Some("process.value"),
        (Role::Caller, "file") => Some("file.path"),
        _ => None,
    }
}

/// The rank of a level that is a number in Python's scale.
pub(crate) const PYTHON_LEVEL: u8 = 9;

/// The rank of a level that is one of syslog's severities.
pub(crate) const SEVERITY_LEVEL: u8 = 8;

/// The rank of a message's name that is one only beside a level: structlog's `event`.
pub(crate) const BESIDE_LEVEL: u8 = 2;

/// The rank of a message's name beside which a number is a level: what pino, bunyan and GELF call it.
pub(crate) const BESIDE_NUMBER: u8 = 1;

/// The time's name of Serilog's compact form, in which a level that is not said is information.
pub(crate) const SERILOG_TIME: &str = "@t";

/// The rank of Envoy's `start_time`, which is a time only beside [`ENVOY`].
pub(crate) const ENVOY_TIME: u8 = 5;

/// The rank of zap's names for development, which are letters, and mean something only where all three are there.
pub(crate) const ZAP: u8 = 7;
pub(crate) const ZAP_TIME: &str = "T";
pub(crate) const ZAP_LEVEL: &str = "L";
pub(crate) const ZAP_MESSAGE: &str = "M";

/// What nobody but Envoy prints.
pub(crate) const ENVOY: &str = "response_flags";

/// What a general name is beside a telling one: Python's loggers are called `name`, and tracing's are `target`.
pub(crate) const BESIDE: [(&str, &str, &str); 7] = [
    (ZAP_LEVEL, "N", "log.logger"),
    ("line_number", "filename", "log.origin.file.name"),
    ("lineno", "filename", "log.origin.file.name"),
    ("method", "host", "url.domain"),
    ("levelname", "name", "log.logger"),
    ("fields.message", "target", "log.logger"),
    ("LogLevel", "Category", "log.logger"),
];

/// What each name is.
const ROLES: [(&str, Role); 121] = {
    use Role::{Caller, Level, Message, Time};
    [
        (ZAP_TIME, Time(ZAP)),
        (ZAP_LEVEL, Level(ZAP)),
        (ZAP_MESSAGE, Message(ZAP)),
        ("@timestamp", Time(0)),
        ("record.time.repr", Time(0)),
        ("timestamp", Time(1)),
        ("Timestamp", Time(1)),
        (SERILOG_TIME, Time(1)),
        ("__REALTIME_TIMESTAMP", Time(1)),
        ("time", Time(2)),
        ("ts", Time(3)),
        ("datetime", Time(4)),
        ("asctime", Time(4)),
        ("timeMillis", Time(4)),
        ("start_time", Time(ENVOY_TIME)),
        ("level", Level(0)),
        ("log.level", Level(0)),
        ("record.level.name", Level(0)),
        ("severity", Level(1)),
        ("levelname", Level(1)),
        ("@l", Level(1)),
        ("lvl", Level(1)),
        ("log_level", Level(1)),
        ("loglevel", Level(1)),
        ("level_name", Level(1)),
        ("LogLevel", Level(1)),
        ("Level", Level(1)),
        ("fields.level", Level(1)),
        ("@fields.level", Level(1)),
        ("error_severity", Level(1)),
        ("at", Level(2)),
        ("PRIORITY", Level(SEVERITY_LEVEL)),
        ("levelno", Level(PYTHON_LEVEL)),
        ("message", Message(0)),
        ("@message", Message(0)),
        ("record.message", Message(0)),
        ("RenderedMessage", Message(0)),
        ("msg", Message(BESIDE_NUMBER)),
        ("@m", Message(BESIDE_NUMBER)),
        ("short_message", Message(BESIDE_NUMBER)),
        ("Message", Message(BESIDE_NUMBER)),
        ("MESSAGE", Message(BESIDE_NUMBER)),
        ("fields.message", Message(BESIDE_NUMBER)),
        ("event", Message(BESIDE_LEVEL)),
        ("@mt", Message(3)),
        ("MessageTemplate", Message(3)),
        ("caller", Caller),
        ("file", Caller),
        ("service", Role::Word("service.name")),
        ("user", Role::Word("user.name")),
        ("pid", Role::Whole("process.pid")),
        ("process_id", Role::Whole("process.pid")),
        ("_PID", Role::Whole("process.pid")),
        ("process", Role::Whole("process.pid")),
        ("record.process.id", Role::Whole("process.pid")),
        ("lineno", Role::Whole("log.origin.file.line")),
        ("line_number", Role::Whole("log.origin.file.line")),
        ("source.line", Role::Whole("log.origin.file.line")),
        ("record.line", Role::Whole("log.origin.file.line")),
        ("threadId", Role::Whole("process.thread.id")),
        ("thread_id", Role::Whole("process.thread.id")),
        ("logger", Role::Common("log.logger")),
        ("logger_name", Role::Common("log.logger")),
        ("loggerName", Role::Common("log.logger")),
        ("_logger", Role::Common("log.logger")),
        ("SourceContext", Role::Common("log.logger")),
        ("record.name", Role::Common("log.logger")),
        ("thread", Role::Common("process.thread.name")),
        ("thread_name", Role::Common("process.thread.name")),
        ("threadName", Role::Common("process.thread.name")),
        ("_thread", Role::Common("process.thread.name")),
        ("error", Role::Common("error.message")),
        ("err", Role::Common("error.message")),
        ("exception_message", Role::Common("error.message")),
        ("stack", Role::Common("error.stack_trace")),
        ("stack_trace", Role::Common("error.stack_trace")),
        ("stacktrace", Role::Common("error.stack_trace")),
        ("exc_info", Role::Common("error.stack_trace")),
        ("exception", Role::Common("error.stack_trace")),
        ("Exception", Role::Common("error.stack_trace")),
        ("@x", Role::Common("error.stack_trace")),
        ("host", Role::Common("host.hostname")),
        ("hostname", Role::Common("host.hostname")),
        ("_HOSTNAME", Role::Common("host.hostname")),
        ("SYSLOG_IDENTIFIER", Role::Common("process.name")),
        ("url", Role::Common("url.original")),
        ("client", Role::Common("client.address")),
        ("server", Role::Common("server.address")),
        ("trace_id", Role::Common("trace.id")),
        ("traceId", Role::Common("trace.id")),
        ("@tr", Role::Common("trace.id")),
        ("span_id", Role::Common("span.id")),
        ("spanId", Role::Common("span.id")),
        ("@sp", Role::Common("span.id")),
        ("source.file", Role::Common("log.origin.file.name")),
        ("func", Role::Common("log.origin.function")),
        ("funcName", Role::Common("log.origin.function")),
        ("func_name", Role::Common("log.origin.function")),
        ("source.function", Role::Common("log.origin.function")),
        ("record.function", Role::Common("log.origin.function")),
        ("user_agent", Role::Common("user_agent.original")),
        ("upstream", Role::Common("upstream.address")),
        ("agent", Role::Object("agent.value")),
        ("cloud", Role::Object("cloud.value")),
        ("container", Role::Object("container.value")),
        ("data_stream", Role::Object("data_stream.value")),
        ("db", Role::Object("db.value")),
        ("destination", Role::Object("destination.value")),
        ("ecs", Role::Object("ecs.value")),
        ("geo", Role::Object("geo.value")),
        ("http", Role::Object("http.value")),
        ("kubernetes", Role::Object("kubernetes.value")),
        ("labels", Role::Object("labels.value")),
        ("log", Role::Object("log.value")),
        ("network", Role::Object("network.value")),
        ("observer", Role::Object("observer.value")),
        ("os", Role::Object("os.value")),
        ("source", Role::Object("source.value")),
        ("span", Role::Object("span.value")),
        ("trace", Role::Object("trace.value")),
        ("transaction", Role::Object("transaction.value")),
    ]
};

/// The roles by the marks of their names, and where those of each mark begin: made at compile time, since every member of
/// every line is looked up.
const BY_MARK: ([(&str, Role); ROLES.len()], [u8; 257]) = {
    let (mut sorted, mut starts) = (ROLES, [0; 257]);
    let (mut mark, mut found) = (0, 0);
    while mark < 256 {
        let mut index = 0;
        while index < ROLES.len() {
            if event::mark(ROLES[index].0) as usize == mark {
                sorted[found] = ROLES[index];
                found += 1;
            }
            index += 1;
        }
        mark += 1;
        starts[mark] = found as u8;
    }
    (sorted, starts)
};

static ROLES_BY_MARK: [(&str, Role); ROLES.len()] = BY_MARK.0;
static STARTS: [u8; 257] = BY_MARK.1;

/// The role of a member called `name`.
#[inline]
pub(crate) fn role(name: &str) -> Option<&'static Role> {
    let mark = usize::from(event::mark(name));
    let (from, to) = (*STARTS.get(mark)?, *STARTS.get(mark + 1)?);
    if from == to {
        return None;
    }
    let mut candidates = ROLES_BY_MARK.get(usize::from(from)..usize::from(to))?.iter();
    let found = candidates.find(|(other, _)| words::same(other.as_bytes(), name.as_bytes()))?;
    Some(&found.1)
}

/// Whether the event's time is looked for under `name`.
pub(crate) fn is_time(name: &str) -> bool {
    matches!(role(name), Some(Role::Time(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_business_data_has_as_often_has_no_role() {
        for name in ["name", "date", "id", "status", "method", "path", "data", "text", ""] {
            assert_eq!(role(name), None, "{name}");
        }
    }

    #[test]
    fn each_name_of_the_table_is_found_and_stands_there_once() {
        for (name, expected) in ROLES {
            assert_eq!(role(name), Some(&expected), "{name}");
            assert_eq!(ROLES.iter().filter(|(other, _)| *other == name).count(), 1, "{name}");
        }
    }
}
