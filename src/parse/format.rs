//! The formats by name, and which of them a line that begins so may have.

use super::formats;
use super::sink::Sink;

/// The table of all formats, in the order in which `auto` tries them: the stricter and the more common first.
///
/// A row is the variant, the name in configuration and metrics, the grammar, and the first bytes of a line that `auto`
/// tries it on; `none` where a line can not surely be told by this format, so that it has to be named. Grammars that
/// `auto` tries are strict enough that no line fits two of them with two times.
macro_rules! formats {
    ($($format:ident $name:literal $grammar:path, $first:tt;)*) => {
        /// How a line is written.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Format {
            $(#[doc = concat!("`", $name, "`")] $format,)*
        }

        impl Format {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$format,)*];

            /// As configuration and metrics have it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$format => $name,)*
                }
            }

            /// Reads `line` into `sink`; none where it is of another format, and then what was read is to be taken back.
            pub(super) fn read<'a>(self, line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
                match self {
                    $(Self::$format => $grammar(line, sink),)*
                }
            }

            /// Whether `auto` tries it on a line that begins with the byte `first`.
            const fn may_begin_with(self, first: u8) -> bool {
                match self {
                    $(Self::$format => formats!(@first first $first),)*
                }
            }
        }
    };
    (@first $byte:ident none) => { false };
    (@first $byte:ident ($($first:pat_param)|+)) => { matches!($byte, $($first)|+) };
}

formats! {
    Mongodb "mongodb" formats::mongodb::read, (b'{' | b'0'..=b'9');
    Json "json" formats::json::read, (b'{' | b' ' | b'\t');
    Syslog5424 "syslog_5424" formats::syslog_5424::read, (b'<');
    Syslog3164 "syslog_3164" formats::syslog_3164::read, (b'<' | b'0'..=b'9' | b'A' | b'D' | b'F' | b'J' | b'M' | b'N' | b'O' | b'S');
    Cri "cri" formats::cri::read, (b'0'..=b'9');
    Klog "klog" formats::klog::read, (b'I' | b'W' | b'E' | b'F');
    Logfmt "logfmt" formats::logfmt::read, (b'a'..=b'z' | b'A'..=b'Z' | b'@' | b'_' | b'"');
    Ltsv "ltsv" formats::ltsv::read, (b'a'..=b'z' | b'A'..=b'Z' | b'_');
    Console "console" formats::console::read, (b'0'..=b'9' | b'[' | b'D' | b'E' | b'F' | b'I' | b'P' | b'T' | b'W');
    DockerJson "docker_json" formats::docker_json::read, none;
    KeyValue "key_value" formats::key_value::read, none;
    Csv "csv" formats::csv::read_csv, none;
    Tsv "tsv" formats::csv::read_tsv, none;
    Access "access" formats::access::read, (b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b':' | b'-');
    NginxError "nginx_error" formats::nginx_error::read, (b'0'..=b'9');
    ApacheError "apache_error" formats::apache_error::read, (b'[');
    Envoy "envoy" formats::envoy::read, (b'[');
    GunicornError "gunicorn_error" formats::gunicorn_error::read, (b'[');
    Haproxy "haproxy" formats::haproxy::read, (b'0'..=b'9' | b'a'..=b'f' | b':' | b'u' | b'C');
    Uvicorn "uvicorn" formats::uvicorn::read, (b'I' | b'D' | b'W' | b'E' | b'T');
    Ruby "ruby" formats::ruby::read, (b'D' | b'I' | b'W' | b'E' | b'F' | b'A');
    Redis "redis" formats::redis::read, (b'0'..=b'9');
    Zap "zap" formats::zap::read, (b'0'..=b'9');
    SpringBoot "spring_boot" formats::spring_boot::read, (b'0'..=b'9');
    Postgresql "postgresql" formats::postgresql::read, (b'0'..=b'9');
    Mysql "mysql" formats::mysql::read, (b'0'..=b'9' | b'\t');
    Rabbitmq "rabbitmq" formats::rabbitmq::read, (b'0'..=b'9');
    Elasticsearch "elasticsearch" formats::elasticsearch::read, (b'[');
    Jvm "jvm" formats::jvm::read, (b'[');
    Django "django" formats::django::read, (b'[');
    Logger "logger" formats::logger::read, (b'0'..=b'9' | b'[' | b'A'..=b'Z');
    Go "go" formats::go::read, (b'0'..=b'9' | b'D' | b'E' | b'F' | b'I' | b'T' | b'W');
    Dotnet "dotnet" formats::dotnet::read, (b'c' | b'd' | b'f' | b'i' | b't' | b'w' | b'<' | b'[' | b'0'..=b'9');
    Sidekiq "sidekiq" formats::sidekiq::read, (b'0'..=b'9' | b'p');
    Gin "gin" formats::gin::read, (b'[');
    Nest "nest" formats::nest::read, (b'[');
    Php "php" formats::php::read, (b'[' | b'N' | b'P' | b'0'..=b'9' | b'a'..=b'f' | b':' | b'-');
    Morgan "morgan" formats::morgan::read, (b'A'..=b'Z' | b'0'..=b'9' | b':');
    Level "level" formats::level::read, none;
}

/// Programs whose lines have a format with a name of its own.
const ALIASES: &[(&str, Format)] = &[
    ("nginx", Format::Access),
    ("apache", Format::Access),
    ("rsyslog", Format::Syslog3164),
    ("docker", Format::DockerJson),
    ("glog", Format::Klog),
    ("zerolog", Format::Console),
    ("logrus", Format::Console),
    ("structlog", Format::Console),
    ("pino_pretty", Format::Console),
    ("apache_common", Format::Access),
    ("apache_combined", Format::Access),
    ("apache_vhost", Format::Access),
    ("apache_timings", Format::Access),
    ("werkzeug", Format::Access),
    ("ingress_nginx", Format::Access),
    ("gunicorn", Format::Access),
    ("traefik", Format::Access),
    ("istio", Format::Envoy),
    ("hypercorn", Format::GunicornError),
    ("rails", Format::Ruby),
    ("php_fpm", Format::Php),
    ("valkey", Format::Redis),
    ("postgres", Format::Postgresql),
    ("mariadb", Format::Mysql),
    ("opensearch", Format::Elasticsearch),
    ("python", Format::Logger),
    ("loguru", Format::Logger),
    ("celery", Format::Logger),
    ("log4j", Format::Logger),
    ("logback", Format::Logger),
    ("kafka", Format::Logger),
    ("zookeeper", Format::Logger),
    ("spark", Format::Logger),
    ("hadoop", Format::Logger),
    ("quarkus", Format::Logger),
    ("tomcat", Format::Logger),
    ("serilog", Format::Logger),
    ("monolog", Format::Logger),
    ("laravel", Format::Logger),
    ("log4js", Format::Logger),
    ("winston", Format::Logger),
    ("node", Format::Logger),
    ("tracing", Format::Logger),
];

/// One bit for each format.
type Set = u64;

/// Which formats a line may have by its first byte.
static BY_FIRST: [Set; 256] = {
    let mut table = [0; 256];
    let mut first = 0;
    while first < 256 {
        let mut index = 0;
        while index < Format::ALL.len() {
            if Format::ALL[index].may_begin_with(first as u8) {
                table[first] |= 1 << index;
            }
            index += 1;
        }
        first += 1;
    }
    table
};

fn by_first(line: &str) -> Set {
    let first = line.as_bytes().first().copied().unwrap_or_default();
    BY_FIRST.get(usize::from(first)).copied().unwrap_or_default()
}

impl Format {
    /// By its name, or by that of a program that prints it.
    pub fn named(name: &str) -> Option<Self> {
        Self::called(name).map(|(_, format)| format)
    }

    /// The same, and the name, which is one of the table's.
    pub(super) fn called(name: &str) -> Option<(&'static str, Self)> {
        let names = Self::ALL.iter().map(|format| (format.name(), *format));
        ALIASES.iter().copied().chain(names).find(|(other, _)| *other == name)
    }

    /// Whether `auto` tries it on `line`.
    pub(super) fn may_have(self, line: &str) -> bool {
        by_first(line) & (1 << (self as u8)) != 0
    }

    /// Those that `auto` tries on `line`, in order.
    pub(super) fn candidates(line: &str) -> impl Iterator<Item = Self> + use<> {
        let mut left = by_first(line);
        std::iter::from_fn(move || {
            let index = left.trailing_zeros();
            left &= left.wrapping_sub(1);
            Self::ALL.get(usize::try_from(index).ok()?).copied()
        })
    }

    /// Whether `auto` tries it on any line.
    pub fn is_automatic(self) -> bool {
        (0..=u8::MAX).any(|first| self.may_begin_with(first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_format_is_found_by_its_name_and_has_a_bit() {
        for format in Format::ALL {
            assert_eq!(Format::named(format.name()), Some(*format));
        }
        assert!(Format::ALL.len() <= Set::BITS as usize, "a wider set is needed");
        assert_eq!(Format::named("cobol"), None);
    }

    #[test]
    fn a_line_is_tried_in_what_may_begin_so() {
        assert!(Format::candidates("{\"a\":1}").any(|format| format == Format::Json));
        assert_eq!(Format::candidates("\u{1}").next(), None);
        assert_eq!(Format::candidates("").next(), None);
    }
}
