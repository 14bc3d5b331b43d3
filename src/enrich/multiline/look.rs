//! What lines of stack traces look like, each by itself.

use super::postgresql;
use crate::parse::PHP_PASSED_ON;

/// Whose trace it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    /// Java, .NET and others with classes of exceptions.
    Classes,
    Python,
    Go,
    /// Go's Gin, which recovers a panic and prints the request before what it tells of.
    Gin,
    Node,
    Ruby,
    Php,
    Rust,
    /// A head to which only indented lines belong.
    Indented,
    /// A class that is an exception where its frames follow at once: nothing else tells.
    Named,
}

pub(super) fn starts(line: &[u8], beginnings: &[&str]) -> bool {
    beginnings.iter().any(|beginning| line.starts_with(beginning.as_bytes()))
}

/// By the first line. Most lines are told from one by their first byte.
pub(super) fn language(line: &[u8]) -> Option<Language> {
    match line.first()? {
        b' ' | b'\t' => by_frame(line),
        b'#' if line.starts_with(b"#0 ") => contains(line, b"): ").then_some(Language::Php),
        b'#' => is_ruby_thread(line).then_some(Language::Ruby),
        b'[' if line == b"[stacktrace]" => Some(Language::Php),
        b'[' | b'0'..=b'9' if is_timed_dotnet_console(line) => Some(Language::Indented),
        b'[' => by_php_log(without_php_time(line)?),
        b'\x1b' => is_gin_recovery(line).then_some(Language::Gin),
        b'(' => is_node_warning(line).then_some(Language::Node),
        b'0'..=b'9' => postgresql::may_go_on(line).then_some(Language::Indented),
        b'T' if line.starts_with(b"Traceback (most recent call last)") => Some(Language::Python),
        b'S' if line.starts_with(b"Stack (most recent call last)") => Some(Language::Python),
        b'S' if line.starts_with(b"SIG") && contains(line, b": ") => Some(Language::Go),
        b'p' if line.starts_with(b"panic: ") => Some(Language::Go),
        b'f' if line.starts_with(b"fatal error: ") => Some(Language::Go),
        b'g' if line.starts_with(b"goroutine ") && line.contains(&b'[') => Some(Language::Go),
        b's' if line == b"stack backtrace:" => Some(Language::Rust),
        b't' if line.starts_with(b"thread '") && contains(line, b"' panicked at ") => Some(Language::Rust),
        b't' if line.starts_with(b"thread '") && contains(line, b") panicked at ") => Some(Language::Rust),
        b'E' if line.starts_with(b"Exception in thread \"") => Some(Language::Classes),
        b'E' if is_python_thread(line) => Some(Language::Python),
        b'U' if starts(line, &["Unhandled exception. ", "Unhandled Exception: "]) => Some(Language::Classes),
        b'U' if line.starts_with(b"Uncaught ") => Some(Language::Node),
        b'P' | b'F' if is_php(line) => Some(Language::Php),
        b'N' if starts(line, &[PHP_PASSED_ON]) => by_php_log(line.get(PHP_PASSED_ON.len()..)?),
        b'c' | b'd' | b'f' | b'i' | b't' | b'w' if is_dotnet_console(line) => Some(Language::Indented),
        first if first.is_ascii_alphabetic() => {
            by_name(line).or_else(|| by_place(line)).or_else(|| is_class(line).then_some(Language::Named))
        }
        b'/' | b'.' => by_place(line),
        _ => None,
    }
}

/// Whether loggers print such a line below a message of theirs: what nobody caught is printed by the runtime, and tells of
/// something else.
pub(super) fn is_logged(line: &[u8]) -> bool {
    match language(line) {
        Some(Language::Classes | Language::Node) => by_name(line).is_some(),
        Some(Language::Python) => !line.starts_with(b"Exception "),
        Some(Language::Go) => line.starts_with(b"goroutine "),
        Some(Language::Ruby) => line.ends_with(b"'"),
        // Laravel's, of the exception that it logs.
        Some(Language::Php) => line == b"[stacktrace]",
        Some(Language::Named) => true,
        Some(Language::Gin | Language::Rust | Language::Indented) | None => false,
    }
}

/// Frames without a head: that was printed with something before it, and has passed.
fn by_frame(line: &[u8]) -> Option<Language> {
    if starts(line, &["    at "]) {
        return Some(Language::Node);
    }
    if starts(line, &["\tat "]) {
        return Some(Language::Classes);
    }
    starts(line, &["  File \"", "  + Exception Group Traceback "]).then_some(Language::Indented)
}

fn is_ruby_thread(line: &[u8]) -> bool {
    line.starts_with(b"#<Thread:")
        && line.ends_with(b"terminated with exception (report_on_exception is true):")
}

/// `Exception in thread worker:`, and then the traceback.
fn is_python_thread(line: &[u8]) -> bool {
    line.starts_with(b"Exception ignored in: ")
        || (line.starts_with(b"Exception in thread ") && line.ends_with(b":"))
}

/// `fail: Microsoft.Hosting.Lifetime[14]`: its message is on the lines below.
fn is_dotnet_console(line: &[u8]) -> bool {
    starts(line, &["trce: ", "dbug: ", "info: ", "warn: ", "fail: ", "crit: "])
        && line.strip_suffix(b"]").is_some_and(|line| {
            let digits = line.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
            digits > 0
                && line
                    .get(6..line.len() - digits)
                    .is_some_and(|name| name.ends_with(b"[") && !name.contains(&b' '))
        })
}

/// The same behind a time, whose layout is the user's choice.
fn is_timed_dotnet_console(line: &[u8]) -> bool {
    let level = line.strip_suffix(b"]").and_then(|_| memchr::memmem::find(line, b": "));
    let head = level.and_then(|colon| line.split_at_checked(colon.checked_sub(4)?));
    head.is_some_and(|(time, head)| time.ends_with(b" ") && is_dotnet_console(head))
}

fn is_php(line: &[u8]) -> bool {
    let line = line.strip_prefix(b"PHP ").unwrap_or(line);
    line.starts_with(b"Fatal error:") && contains(line, b"Uncaught ")
}

fn by_php_log(line: &[u8]) -> Option<Language> {
    if is_php(line) {
        return Some(Language::Php);
    }
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'\\');
    let end = line.iter().position(|byte| !is_name(byte)).filter(|end| *end > 0)?;
    let is_exception =
        line.get(end..)?.starts_with(b": ") && contains(line, b" in ") && ends_with_line_number(line);
    is_exception.then_some(Language::Classes)
}

/// What is behind `[28-Nov-2026 15:49:10 UTC] `, as PHP's own log has it.
fn without_php_time(line: &[u8]) -> Option<&[u8]> {
    let is_time = matches!(line, [b'[', a, b, b'-', ..] if a.is_ascii_digit() && b.is_ascii_digit());
    let end = memchr::memchr(b']', line).filter(|_| is_time)?;
    line.get(end + 1..)?.strip_prefix(b" ")
}

/// `2026/11/28 12:00:00 [Recovery] 2026/11/28 - 12:00:00 panic recovered:`, in red wherever it is printed to.
fn is_gin_recovery(line: &[u8]) -> bool {
    line.starts_with(b"\x1b[31m") && line.ends_with(b" panic recovered:") && contains(line, b" [Recovery] ")
}

/// `/srv/app/main.go:38 (0xd55cc4)`
pub(super) fn is_gin_frame(line: &[u8]) -> bool {
    line.ends_with(b")") && contains(line, b".go:") && contains(line, b" (0x")
}

/// `(node:1) UnhandledPromiseRejectionWarning: Error: …`
fn is_node_warning(line: &[u8]) -> bool {
    line.starts_with(b"(node:") && contains(line, b"Warning: ")
}

pub(super) fn contains(line: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(line, part).is_some()
}

/// Whether the line ends with `:7`.
pub(super) fn ends_with_line_number(line: &[u8]) -> bool {
    let digits = line.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    digits > 0 && line.get(..line.len() - digits).is_some_and(|before| before.ends_with(b":"))
}

/// `a.b.CException: …` or `TypeError: …`: the name of an exception, alone or before a colon.
fn by_name(line: &[u8]) -> Option<Language> {
    let name = name(line);
    if !is_exception_name(line)
        || ![&b"Exception"[..], b"Error", b"Throwable"].iter().any(|end| name.ends_with(end))
    {
        return None;
    }
    Some(if name.contains(&b'.') || name.ends_with(b"Exception") {
        Language::Classes
    } else {
        Language::Node
    })
}

/// `com.acme.Boom: …`: a class in a package of two parts or more.
fn is_class(line: &[u8]) -> bool {
    let name = name(line);
    let is_part = |part: &[u8]| part.first().is_some_and(u8::is_ascii_lowercase);
    let mut parts = name.rsplit(|byte| *byte == b'.');
    let is_capital = parts.next().and_then(<[u8]>::first).is_some_and(u8::is_ascii_uppercase);
    is_capital && is_exception_name(line) && parts.clone().count() >= 2 && parts.all(is_part)
}

/// The name that the line begins with.
fn name(line: &[u8]) -> &[u8] {
    let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'$');
    let end = line.iter().position(|byte| !is_of_name(byte)).unwrap_or(line.len());
    line.get(..end).unwrap_or_default()
}

/// A name, and then nothing or a colon and a message.
pub(super) fn is_exception_name(line: &[u8]) -> bool {
    let name = name(line);
    !name.is_empty() && matches!(line.get(name.len()..), Some([] | [b':'] | [b':', b' ', ..]))
}

/// `/app/a.js:3` as Node has it, `a.rb:3:in …` as Ruby does.
pub(super) fn by_place(line: &[u8]) -> Option<Language> {
    if line.starts_with(b"node:internal/") {
        return ends_with_line_number(line).then_some(Language::Node);
    }
    let colon = memchr::memchr(b':', line)?;
    let (file, rest) = (line.get(..colon)?, line.get(colon + 1..)?);
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let ends_with = |ends: &[&[u8]]| ends.iter().any(|end| file.ends_with(end));
    match rest.get(digits..)? {
        [] if digits > 0 && ends_with(&[b".js", b".mjs", b".cjs", b".ts"]) => Some(Language::Node),
        [b':', b'i', b'n', b' ', ..] if digits > 0 && ends_with(&[b".rb", b".ru", b"rake"]) => {
            Some(Language::Ruby)
        }
        _ => None,
    }
}

/// A line of Go's dump of its goroutines that is not indented.
pub(super) fn is_go(line: &[u8]) -> bool {
    // `main.main()`, `panic({0x6640c0?, 0x8e4280?})`
    let name = |open: usize| line.get(..open).is_some_and(|name| !name.is_empty() && !name.contains(&b' '));
    let is_function = || line.ends_with(b")") && memchr::memchr(b'(', line).is_some_and(name);
    line.is_empty()
        || starts(line, &["goroutine ", "created by ", "exit status ", "[signal ", "panic: ", "PC=0x"])
        || line == b"runtime stack:"
        || is_function()
        || is_register(line)
}

/// `rax    0xca`, `rflags 0x286`
fn is_register(line: &[u8]) -> bool {
    let mut words = line.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    let (name, value, more) = (words.next(), words.next(), words.next());
    name.is_some_and(|name| name.len() <= 6)
        && value.is_some_and(|value| value.starts_with(b"0x"))
        && more.is_none()
}
