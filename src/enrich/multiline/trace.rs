//! How far a stack trace has come, and which line goes on with it.
//!
//! | language | begins with | goes on with, beside indented lines |
//! |---|---|---|
//! | Java, .NET | `a.b.CException: …`, `Exception in thread "…"`, `Unhandled exception. …`, `\tat …` | `Caused by:`, `Suppressed:`, `... 3 more`, `--- End of …`, a blank line behind frames, `Dumping heap to …` |
//! | | `a.b.C: …`, where a frame is the next line | the same |
//! | Python | `Traceback (most recent call last):`, `Stack (most …`, `Exception in thread …:`, `  + Exception Group …` | the exception's own line, once; blank lines and `During handling …` |
//! | Go | `panic: …`, `fatal error: …`, `SIGQUIT: …`, `goroutine 1 […` | `goroutine`, `runtime stack:`, functions, `created by`, `exit status`, registers, blank lines |
//! | Go's Gin | `… [Recovery] … panic recovered:` | the request, the error, `/app/a.go:3 (0x…)` |
//! | Node | `TypeError: …`, `/app/a.js:3`, `(node:1) …Warning: …`, `    at …` | the line of source and the error's own, once; `}`, `Node.js v…`, blank lines |
//! | Ruby | `a.rb:3:in …`, `#<Thread:… terminated …` | `a.rb:3:in …` without a message; the line of source behind a blank one |
//! | PHP | `PHP Fatal error:  Uncaught …`, `AException: …`, `[stacktrace]` | the rest of the message up to `Stack trace:`, `#0 …`, `Next …`, `[previous exception] …`, `"}` |
//! | Rust | `thread '…' panicked at …`, anyhow's `Error: …` | the message's line, `note:`, `Caused by:`, `stack backtrace:`, blank lines |
//! | .NET's console logger | `fail: Category[0]` | nothing else |
//! | PostgreSQL | `… STATEMENT:  …` and others with a query | nothing else |
//! | Rails with tags | `… FATAL -- : [TAG] …` | `[TAG] …` |
//!
//! A line that only might belong does not: two events are better than one that is of two.

use xxhash_rust::xxh3::xxh3_64;

use super::look::{self, Language, starts};

/// Lines of a message that ends with a line of its own, at most.
const LONGEST_MESSAGE: u8 = 16;

/// What anyhow prints below an error, whose first line looks like Node's.
const ANYHOW: [&str; 2] = ["Caused by:", "Stack backtrace:"];

/// How far a trace has come; nothing of one before it begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Trace {
    language: Option<Language>,
    /// Whether a line that belongs by its indentation has come.
    has_frames: bool,
    /// Lines that still belong whatever they are: a message, or a line of source.
    owed: u8,
    /// Whether the exception's own line is still to come.
    lacks_error: bool,
    /// The tags that Rails puts before each line of a message, with the blank behind them: their length and hash.
    tags: Option<(usize, u64)>,
}

impl Trace {
    /// That of a line which begins one.
    pub(super) fn begun_by(line: &[u8]) -> Option<Self> {
        let language = look::language(line)?;
        let is_place = language == Language::Node && look::by_place(line).is_some();
        let owed = match language {
            Language::Rust => u8::from(line.ends_with(b":")),
            // why: the message of an exception that nobody caught ends with the place that threw it.
            Language::Php if starts(line, &["#", "[stacktrace]"]) || look::ends_with_line_number(line) => 0,
            Language::Php => LONGEST_MESSAGE,
            Language::Node => u8::from(is_place),
            _ => 0,
        };
        let lacks_error = is_place || language == Language::Gin || line.starts_with(b"#<Thread:");
        Some(Self { language: Some(language), owed, lacks_error, ..Self::default() })
    }

    /// That of a message which one may follow.
    pub(super) fn behind(message: &[u8]) -> Self {
        let tags = memchr::memmem::find(message, b" -- : [").and_then(|at| message.get(at + 6..));
        let end = tags.and_then(|tags| memchr::memmem::find(tags, b"] ")).map(|at| at + 2);
        let tags = tags.zip(end).and_then(|(tags, end)| tags.get(..end));
        Self { tags: tags.map(|tags| (tags.len(), xxh3_64(tags))), ..Self::default() }
    }

    /// Whether the line that came last belongs only if the next one does.
    pub(super) fn is_doubtful(&self) -> bool {
        self.language == Some(Language::Named)
    }

    /// Whether `line` goes on with what came; then it is taken.
    pub(super) fn takes(&mut self, line: &[u8]) -> bool {
        let is_frame = |line| starts(line, &["Stack trace:", "stack backtrace:"]) || look::is_gin_frame(line);
        if self.owed > 0 && !is_frame(line) {
            self.owed -= 1;
            return true;
        }
        self.owed = 0;
        if self.language == Some(Language::Named) {
            self.language = Some(Language::Classes);
            self.has_frames = starts(line, &["\tat ", "    at ", "Caused by: "]);
            return self.has_frames;
        }
        if matches!(line, [b' ' | b'\t', ..]) {
            self.has_frames = true;
            return true;
        }
        let Some(language) = self.language else { return self.begins(line) };
        match language {
            Language::Classes => self.takes_class(line),
            Language::Python => self.takes_python(line),
            Language::Go => look::is_go(line),
            Language::Gin => self.takes_gin(line),
            Language::Node => self.takes_node(line),
            Language::Ruby => self.takes_ruby(line),
            Language::Php => self.takes_php(line),
            Language::Rust => {
                line.is_empty() || starts(line, &["note: ", "stack backtrace:"]) || starts(line, &ANYHOW)
            }
            Language::Indented | Language::Named => false,
        }
    }

    /// What came so far was a message, and this line is the trace that it tells of.
    fn begins(&mut self, line: &[u8]) -> bool {
        // Spring Boot prints a blank line before the trace; Python's asyncio tells what the exception was raised in.
        let is_between = line.is_empty() || starts(line, &["future: <", "task: <", "handle: <"]);
        // Node's inspection of an object ends so.
        let is_end = line == b"}";
        if (is_between && !self.has_frames) || (is_end && self.has_frames) || self.has_tags(line) {
            return true;
        }
        let begun = Self::begun_by(line).filter(|_| look::is_logged(line));
        *self = begun.unwrap_or(*self);
        begun.is_some()
    }

    fn has_tags(&self, line: &[u8]) -> bool {
        let is_same = |(length, hash)| line.get(..length).is_some_and(|tags| xxh3_64(tags) == hash);
        self.tags.is_some_and(is_same)
    }

    fn takes_class(&mut self, line: &[u8]) -> bool {
        // PHP's exceptions are called like Java's, and have this line where those have frames.
        if line == b"Stack trace:" && !self.has_frames {
            self.language = Some(Language::Php);
            return true;
        }
        // Spring Boot prints a blank line behind the trace, too.
        (line.is_empty() && self.has_frames)
            || starts(line, &["Caused by:", "Suppressed:", "... ", "at ", "--- End of "])
            || starts(line, &["Dumping heap to ", "Heap dump file created "])
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
            return look::is_exception_name(line);
        }
        line.starts_with(b"Traceback ")
    }

    /// Lines of the request end with a CR; then comes the error, and then the frames, each below its place.
    fn takes_gin(&mut self, line: &[u8]) -> bool {
        if matches!(line, [] | b"\x1b[0m" | [.., b'\r']) || look::is_gin_frame(line) {
            return true;
        }
        let is_error = std::mem::take(&mut self.lacks_error);
        self.owed = if is_error { LONGEST_MESSAGE } else { 0 };
        is_error
    }

    /// The error's own line comes behind the place and the source, and is not another one's behind this one's frames.
    fn takes_node(&mut self, line: &[u8]) -> bool {
        if line.is_empty() || starts(line, &["}", "Node.js v", "(Use `node "]) || starts(line, &ANYHOW) {
            return true;
        }
        if self.lacks_error && look::is_exception_name(line) {
            self.lacks_error = false;
            return true;
        }
        // Of a module that is not found it says what has asked for it.
        !self.has_frames && starts(line, &["Require stack:", "- /"])
    }

    fn takes_ruby(&mut self, line: &[u8]) -> bool {
        if line.is_empty() && !self.has_frames {
            self.owed = 1;
            return true;
        }
        if look::language(line) != Some(Language::Ruby) {
            return false;
        }
        // The place of a frame alone; one with a message behind it is another exception.
        let takes = line.ends_with(b"'") || self.lacks_error;
        self.lacks_error = false;
        takes
    }

    /// Behind the frames comes, after a blank line, the exception that this one was thrown in place of.
    fn takes_php(&mut self, line: &[u8]) -> bool {
        if self.has_frames && (line.is_empty() || line.starts_with(b"Next ")) {
            return true;
        }
        self.has_frames |= line.starts_with(b"#");
        starts(line, &["Stack trace:", "PHP Stack trace:", "#", "PHP   "])
            || starts(line, &["[stacktrace]", "[previous exception] ", "\"}"])
    }
}
