//! Regexes of the configuration: compiled at the start, within bounds, with the place of what is wrong.
//!
//! The engine takes time in proportion to pattern and text, whatever they are, so that neither a pattern nor a line can bring
//! it to a halt; what it lacks for that are backreferences and lookaround.

use regex_automata::meta::Regex;
use regex_automata::util::syntax;
use regex_syntax::ast::Span;

/// Bytes that one compiled pattern may take: hundreds of times those of usual ones.
const MOST_BYTES: usize = 4 << 20;

/// Characters of one pattern.
const LONGEST: usize = 64 << 10;

/// What a pattern is to be found in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// UTF-8; what is found ends where characters do.
    Text,
    /// Whatever a peer sent.
    Bytes,
}

/// Compiles `pattern`, or says what is wrong with it, and where.
pub(crate) fn compile(pattern: &str, over: Over) -> Result<Regex, String> {
    if pattern.len() > LONGEST {
        return Err(format!("the regex has {} bytes, and {LONGEST} at most are taken", pattern.len()));
    }
    let is_text = over == Over::Text;
    let config = Regex::config().nfa_size_limit(Some(MOST_BYTES)).utf8_empty(is_text);
    let syntax = syntax::Config::new().utf8(is_text);
    let built = Regex::builder().configure(config).syntax(syntax).build(pattern);
    built.map_err(|error| match (error.syntax_error(), error.size_limit()) {
        (Some(error), _) => syntax_fault(error),
        (None, Some(_)) => format!("the regex takes more than {MOST_BYTES} bytes compiled; repeat less"),
        (None, None) => format!("the regex cannot be compiled: {error}"),
    })
}

fn syntax_fault(error: &regex_syntax::Error) -> String {
    match error {
        regex_syntax::Error::Parse(error) => told(error.span(), error.kind()),
        regex_syntax::Error::Translate(error) => told(error.span(), error.kind()),
        error => error.to_string(),
    }
}

fn told(span: &Span, why: impl std::fmt::Display) -> String {
    match (span.start.line, span.start.column) {
        (1, column) => format!("at character {column} of the regex: {why}"),
        (line, column) => format!("at character {column} of line {line} of the regex: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_tells_its_place() {
        for (pattern, told) in [
            ("a(b", "at character 2 of the regex: unclosed group"),
            ("größe[", "at character 6 of the regex: unclosed character class"),
            ("(?=a)", "at character 1 of the regex: look-around"),
            (r"(a)\1", "at character 4 of the regex: backreferences are not supported"),
            (r"\pX", "at character 1 of the regex: Unicode property not found"),
            ("(?x)\n\n *", "at character 2 of line 3 of the regex: repetition operator missing expression"),
        ] {
            let fault = compile(pattern, Over::Text).expect_err(pattern);
            assert!(fault.starts_with(told), "{fault}");
        }
    }

    #[test]
    fn what_would_take_too_much_memory_is_refused_at_once() {
        let fault = compile(r"(\w{1000}){1000}", Over::Text).expect_err("too large");
        assert!(fault.contains("repeat less"), "{fault}");
        let fault = compile(&"a".repeat(LONGEST + 1), Over::Bytes).expect_err("too long");
        assert!(fault.contains("65536 at most"), "{fault}");
    }

    #[test]
    fn bytes_that_are_no_text_may_be_looked_for_in_bytes_alone() {
        assert!(compile(r"(?-u)\xff", Over::Bytes).is_ok_and(|regex| regex.is_match(b"a\xffb".as_slice())));
        assert!(compile(r"(?-u)\xff", Over::Text).is_err());
    }
}
