//! What the lines of a stack trace look like: which line begins one, and which goes on with it.
//!
//! | language | begins with | goes on with, beside indented lines |
//! |---|---|---|
//! | Java, .NET | `a.b.CException: …`, `Exception in thread "…"`, `Unhandled exception. …` | `Caused by:`, `Suppressed:`, `... 3 more`, `--- End of …` |
//! | Python | `Traceback (most recent call last):`, `Stack (most …` | the exception's own line, once; blank lines and `During handling …` |
//! | Go | `panic: …`, `fatal error: …`, `SIGQUIT: …`, `goroutine 1 […` | `goroutine`, functions, `created by`, `exit status`, blank lines |
//! | Node | `TypeError: …`, `/app/a.js:3` | the error's own line, `}`, `Node.js v…`, blank lines |
//! | Ruby | `a.rb:3:in …` | `a.rb:3:in …` without a message |
//! | PHP | `PHP Fatal error:  Uncaught …` | `Stack trace:`, `#0 …` |
//! | Rust | `thread '…' panicked at …` | the message's line, `note:`, `stack backtrace:`, blank lines |
//!
//! A line that only might belong does not: two events are better than one that is of two.

/// Whose trace it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    /// Java, .NET and others with classes of exceptions.
    Classes,
    Python,
    Go,
    Node,
    Ruby,
    Php,
    Rust,
}

/// How far a trace has come; nothing of one before it begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Trace {
    language: Option<Language>,
    /// Whether a line that belongs by its indentation has come.
    has_frames: bool,
    /// Lines that still belong whatever they are: a message.
    owed: u8,
}

impl Trace {
    /// That of a line which begins one.
    pub(super) fn begun_by(line: &[u8]) -> Option<Self> {
        let language = language(line)?;
        let owed = u8::from(language == Language::Rust && line.ends_with(b":"));
        Some(Self { language: Some(language), has_frames: false, owed })
    }

    /// Whether `line` goes on with what came; then it is taken.
    pub(super) fn takes(&mut self, line: &[u8]) -> bool {
        if matches!(line, [b' ' | b'\t', ..]) {
            self.has_frames = true;
            return true;
        }
        if self.owed > 0 {
            self.owed -= 1;
            return true;
        }
        let Some(language) = self.language else { return self.begins(line) };
        match language {
            Language::Classes => starts(line, &["Caused by:", "Suppressed:", "... ", "at ", "--- End of "]),
            Language::Python => self.takes_python(line),
            Language::Go => is_go(line),
            Language::Node => self.takes_node(line),
            // The place of a frame alone; one with a message behind it is another exception.
            Language::Ruby => line.ends_with(b"'") && self::language(line) == Some(Language::Ruby),
            Language::Php => starts(line, &["Stack trace:", "PHP Stack trace:", "#", "PHP   "]),
            Language::Rust => line.is_empty() || starts(line, &["note: ", "stack backtrace:"]),
        }
    }

    /// The line before was a message of its own, and this one is the trace that it tells of.
    fn begins(&mut self, line: &[u8]) -> bool {
        let begun = Self::begun_by(line);
        // Spring Boot prints one before the trace.
        if line.is_empty() && !self.has_frames {
            return true;
        }
        // why: indented lines behind a message may be anything, and so what comes behind them is another event.
        if self.has_frames {
            return false;
        }
        *self = begun.unwrap_or(*self);
        begun.is_some()
    }

    /// After the frames comes `Name: message`; then perhaps another trace behind a blank line and a word.
    fn takes_python(&mut self, line: &[u8]) -> bool {
        // loguru marks the frame that logged with `>`.
        if line.is_empty()
            || starts(line, &["During handling of the above", "The above exception was", "> File "])
        {
            return true;
        }
        if self.has_frames {
            self.has_frames = false;
            return is_exception_name(line);
        }
        line.starts_with(b"Traceback ")
    }

    /// `/app/a.js:3`, the source, a mark below it, blank, then the error and its frames.
    fn takes_node(&mut self, line: &[u8]) -> bool {
        line.is_empty()
            || starts(line, &["}", "Node.js v"])
            || (language(line) == Some(Language::Node) && line.first().is_some_and(u8::is_ascii_uppercase))
    }
}

fn starts(line: &[u8], beginnings: &[&str]) -> bool {
    beginnings.iter().any(|beginning| line.starts_with(beginning.as_bytes()))
}

/// By the first line. Most lines are told from one by their first byte.
fn language(line: &[u8]) -> Option<Language> {
    match line.first()? {
        b'T' if line.starts_with(b"Traceback (most recent call last)") => Some(Language::Python),
        b'S' if line.starts_with(b"Stack (most recent call last)") => Some(Language::Python),
        b'S' if line.starts_with(b"SIG") && contains(line, b": ") => Some(Language::Go),
        b'p' if line.starts_with(b"panic: ") => Some(Language::Go),
        b'f' if line.starts_with(b"fatal error: ") => Some(Language::Go),
        b'g' if line.starts_with(b"goroutine ") && line.contains(&b'[') => Some(Language::Go),
        b't' if line.starts_with(b"thread '") && contains(line, b"' panicked at ") => Some(Language::Rust),
        b't' if line.starts_with(b"thread '") && contains(line, b") panicked at ") => Some(Language::Rust),
        b'E' if line.starts_with(b"Exception in thread \"") => Some(Language::Classes),
        b'U' if starts(line, &["Unhandled exception. ", "Unhandled Exception: "]) => Some(Language::Classes),
        b'U' if line.starts_with(b"Uncaught ") => Some(Language::Node),
        b'P' | b'F' if is_php(line) => Some(Language::Php),
        first if first.is_ascii_alphabetic() => by_name(line).or_else(|| by_place(line)),
        b'/' | b'.' => by_place(line),
        _ => None,
    }
}

fn is_php(line: &[u8]) -> bool {
    let line = line.strip_prefix(b"PHP ").unwrap_or(line);
    line.starts_with(b"Fatal error:") && contains(line, b"Uncaught ")
}

fn contains(line: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(line, part).is_some()
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

/// The name that the line begins with.
fn name(line: &[u8]) -> &[u8] {
    let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'$');
    let end = line.iter().position(|byte| !is_of_name(byte)).unwrap_or(line.len());
    line.get(..end).unwrap_or_default()
}

/// A name, and then nothing or a colon and a message.
fn is_exception_name(line: &[u8]) -> bool {
    let name = name(line);
    !name.is_empty() && matches!(line.get(name.len()..), Some([] | [b':'] | [b':', b' ', ..]))
}

/// `/app/a.js:3` as Node has it, `a.rb:3:in …` as Ruby does.
fn by_place(line: &[u8]) -> Option<Language> {
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

fn is_go(line: &[u8]) -> bool {
    // `main.main()`, `panic({0x6640c0?, 0x8e4280?})`
    let name = |open: usize| line.get(..open).is_some_and(|name| !name.is_empty() && !name.contains(&b' '));
    let is_function = || line.ends_with(b")") && memchr::memchr(b'(', line).is_some_and(name);
    line.is_empty()
        || starts(line, &["goroutine ", "created by ", "exit status ", "[signal ", "panic: "])
        || is_function()
}
