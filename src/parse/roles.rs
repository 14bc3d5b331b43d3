//! What a member with a name of the sender's choice is, as far as its name tells: by what loggers print.
//!
//! Names that business data has as often, `name` or `date`, have no role: it is better to leave a member alone than to take it
//! for what it is not. A text under a name that is an object in the Elastic Common Schema, `host` or `user`, goes in `ecs` to
//! that object's main member, since Elasticsearch would refuse the document.

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

/// What nobody but Envoy prints.
pub(crate) const ENVOY: &str = "response_flags";

/// What a general name is beside a telling one: Python's loggers are called `name`, and tracing's are `target`.
pub(crate) const BESIDE: [(&str, &str, &str); 5] = [
    ("lineno", "filename", "log.origin.file.name"),
    ("method", "host", "url.domain"),
    ("levelname", "name", "log.logger"),
    ("fields.message", "target", "log.logger"),
    ("LogLevel", "Category", "log.logger"),
];

/// The role of a member called `name`.
pub(crate) fn role(name: &str) -> Option<Role> {
    use Role::{Caller, Common, Level, Message, Time, Whole, Word};
    Some(match name {
        "@timestamp" | "record.time.repr" => Time(0),
        "timestamp" | "Timestamp" | SERILOG_TIME | "__REALTIME_TIMESTAMP" => Time(1),
        "time" => Time(2),
        "ts" => Time(3),
        "datetime" | "asctime" | "timeMillis" => Time(4),
        "start_time" => Time(ENVOY_TIME),
        "level" | "log.level" | "record.level.name" => Level(0),
        "severity" | "levelname" | "@l" | "lvl" | "log_level" | "loglevel" | "level_name" | "LogLevel"
        | "Level" | "fields.level" | "@fields.level" | "error_severity" => Level(1),
        "at" => Level(2),
        "PRIORITY" => Level(SEVERITY_LEVEL),
        "levelno" => Level(PYTHON_LEVEL),
        "message" | "@message" | "record.message" | "RenderedMessage" => Message(0),
        "msg" | "@m" | "short_message" | "Message" | "MESSAGE" | "fields.message" => Message(BESIDE_NUMBER),
        "event" => Message(BESIDE_LEVEL),
        "@mt" | "MessageTemplate" => Message(3),
        "caller" | "file" => Caller,
        "service" => Word("service.name"),
        "pid" | "process_id" | "_PID" | "process" | "record.process.id" => Whole("process.pid"),
        "lineno" | "line_number" | "source.line" | "record.line" => Whole("log.origin.file.line"),
        "threadId" | "thread_id" => Whole("process.thread.id"),
        _ => Common(common(name)?),
    })
}

/// The name in the Elastic Common Schema.
fn common(name: &str) -> Option<&'static str> {
    Some(match name {
        "logger" | "logger_name" | "loggerName" | "_logger" | "SourceContext" | "record.name" => "log.logger",
        "thread" | "thread_name" | "threadName" | "_thread" => "process.thread.name",
        "error" | "err" | "exception_message" => "error.message",
        "stack" | "stack_trace" | "stacktrace" | "exc_info" | "exception" | "Exception" | "@x" => {
            "error.stack_trace"
        }
        "host" | "hostname" | "_HOSTNAME" => "host.hostname",
        "SYSLOG_IDENTIFIER" => "process.name",
        "user" => "user.name",
        "url" => "url.original",
        "client" => "client.address",
        "server" => "server.address",
        "trace_id" | "traceId" | "@tr" => "trace.id",
        "span_id" | "spanId" | "@sp" => "span.id",
        "source.file" => "log.origin.file.name",
        "func" | "funcName" | "func_name" | "source.function" | "record.function" => "log.origin.function",
        "user_agent" => "user_agent.original",
        _ => return None,
    })
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
}
