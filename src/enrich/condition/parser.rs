//! Tokens to a condition. A fault tells what was expected, what stands there instead, and where.
//!
//! Written by hand over the lexer's tokens: what a combinator was about to try when it failed is not what a reader of the
//! fault was about to write.

use regex::bytes::Regex;

use super::ConditionFault;
use super::ast::{self, Expr, KEYWORDS, Matcher, Op};
use super::lexer::{self, Kind, Token};
use super::literal::{KINDS, Literal};
use crate::enrich::path::Path;

/// Brackets and `not` inside one another: more is no condition that a person wrote, and each takes some stack.
const DEEPEST: usize = 64;

/// The condition that `text` is.
pub(super) fn parse(text: &str) -> Result<Expr, ConditionFault> {
    let tokens = lexer::tokens(text).map_err(|(at, why)| ConditionFault::new(text, at, why))?;
    let mut parser = Parser { text, tokens: &tokens, next: 0, depth: 0 };
    let expr = parser.any()?;
    match parser.peek() {
        None => Ok(expr),
        Some(_) => Err(parser.expected("`and`, `or` or the end")),
    }
}

struct Parser<'t> {
    text: &'t str,
    tokens: &'t [Token<'t>],
    next: usize,
    depth: usize,
}

type Parsed<T> = Result<T, ConditionFault>;

impl<'t> Parser<'t> {
    fn peek(&self) -> Option<&'t Kind<'t>> {
        self.tokens.get(self.next).map(|token| &token.kind)
    }

    /// Steps over the word or the sign, if it is the next token.
    fn eat(&mut self, what: &str) -> bool {
        let is_it = match self.peek() {
            Some(Kind::Word(word)) => *word == what,
            Some(Kind::Sign(sign)) => *sign == what,
            _ => false,
        };
        self.next += usize::from(is_it);
        is_it
    }

    fn fault(&self, why: String) -> ConditionFault {
        let at = self.tokens.get(self.next).map_or(self.text.trim_end().len(), |token| token.at);
        ConditionFault::new(self.text, at, why)
    }

    fn expected(&self, what: &str) -> ConditionFault {
        let found = match self.peek() {
            Some(Kind::Word(word) | Kind::Name(word)) => format!("`{word}`"),
            Some(Kind::Sign(sign)) => format!("`{sign}`"),
            Some(Kind::Text(_)) => "a text".into(),
            None => "the end".into(),
        };
        let hint = self.lower_case().unwrap_or_default();
        self.fault(format!("expected {what}, found {found}{hint}"))
    }

    /// What to write for a keyword in capitals, here or before.
    fn lower_case(&self) -> Option<String> {
        let near = [Some(self.next), self.next.checked_sub(1)];
        near.into_iter().flatten().find_map(|at| match self.tokens.get(at).map(|token| &token.kind) {
            Some(Kind::Word(word)) if !KEYWORDS.contains(word) => {
                let keyword = KEYWORDS.iter().find(|keyword| keyword.eq_ignore_ascii_case(word))?;
                Some(format!("; `{word}` is written `{keyword}`"))
            }
            _ => None,
        })
    }

    fn any(&mut self) -> Parsed<Expr> {
        let mut parts = vec![self.all()?];
        while self.eat("or") {
            parts.push(self.all()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expr::Any(parts) })
    }

    fn all(&mut self) -> Parsed<Expr> {
        let mut parts = vec![self.not()?];
        while self.eat("and") {
            parts.push(self.not()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expr::All(parts) })
    }

    fn not(&mut self) -> Parsed<Expr> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.fault(format!("brackets and `not` go deeper than {DEEPEST}")));
        }
        let expr = if self.eat("not") { Expr::Not(Box::new(self.not()?)) } else { self.primary()? };
        self.depth -= 1;
        Ok(expr)
    }

    fn primary(&mut self) -> Parsed<Expr> {
        if self.eat("(") {
            let inner = self.any()?;
            return if self.eat(")") { Ok(inner) } else { Err(self.expected("`)`")) };
        }
        if self.eat("true") || self.eat("false") {
            let word = self.tokens.get(self.next.wrapping_sub(1)).map(|token| &token.kind);
            return Ok(Expr::Always(word == Some(&Kind::Word("true"))));
        }
        if self.eat("exists") {
            return self.path("a field after `exists`").map(Expr::Exists);
        }
        self.comparison()
    }

    fn path(&mut self, what: &str) -> Parsed<Path> {
        let name = match self.peek() {
            Some(Kind::Name(name)) => *name,
            Some(Kind::Word(word)) if ast::is_name(word) => *word,
            _ => return Err(self.expected(what)),
        };
        self.next += 1;
        Ok(Path::new(name))
    }

    fn comparison(&mut self) -> Parsed<Expr> {
        let path = self.path("a field, `not`, `exists` or `(`")?;
        if self.eat("~") {
            return self.regex(path);
        }
        if self.eat("!~") {
            return Ok(Expr::Not(Box::new(self.regex(path)?)));
        }
        if self.eat("in") {
            return self.members(path);
        }
        if self.eat("not") {
            let members =
                if self.eat("in") { self.members(path)? } else { return Err(self.expected("`in`")) };
            return Ok(Expr::Not(Box::new(members)));
        }
        match Op::ALL.iter().find(|(_, sign)| self.eat(sign)) {
            Some((op, _)) => Ok(Expr::Compare(path.clone(), *op, self.literal(path.name())?)),
            None => Err(self.expected("a comparison (=, !=, <, <=, >, >=, ~, !~, in, not in)")),
        }
    }

    fn regex(&mut self, path: Path) -> Parsed<Expr> {
        let Some(Kind::Text(pattern)) = self.peek() else { return Err(self.expected("a regex in quotes")) };
        match Regex::new(pattern) {
            Ok(regex) => {
                self.next += 1;
                Ok(Expr::Matches(path, Matcher(regex)))
            }
            Err(error) => Err(self.fault(format!("the regex is no good: {}", told(&error)))),
        }
    }

    fn members(&mut self, path: Path) -> Parsed<Expr> {
        if !self.eat("[") {
            return match self.peek() {
                Some(Kind::Word(_)) => match self.literal(path.name())? {
                    network @ Literal::Network(_) => Ok(Expr::In(path, vec![network])),
                    _ => {
                        self.next -= 1;
                        Err(self.expected("a network or a list `[…]`"))
                    }
                },
                _ => Err(self.expected("a network or a list `[…]`")),
            };
        }
        let mut literals = vec![self.literal(path.name())?];
        while self.eat(",") {
            literals.push(self.literal(path.name())?);
        }
        if self.eat("]") { Ok(Expr::In(path, literals)) } else { Err(self.expected("`,` or `]`")) }
    }

    fn literal(&mut self, name: &str) -> Parsed<Literal> {
        let literal = match self.peek() {
            Some(Kind::Text(text)) => Some(Literal::of_text(text.clone(), name)),
            Some(Kind::Word(word)) => Literal::of_word(word, name),
            _ => None,
        };
        let literal = literal.ok_or_else(|| self.expected(KINDS))?;
        self.next += 1;
        Ok(literal)
    }
}

/// What a regex's fault says, on one line: the crate shows the pattern with a caret of its own.
fn told(error: &regex::Error) -> String {
    let text = error.to_string();
    text.lines().last().unwrap_or_default().trim().trim_start_matches("error: ").to_owned()
}
