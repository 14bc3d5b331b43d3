//! One text, looked through for all that is wanted: each family looks at the text only where a byte or a word of its own is.

use bumpalo::Bump;
use bumpalo::collections::Vec as ArenaVec;
use regex_automata::meta::Regex;

use super::names::Names;
use super::options::{Family, RedactOptions};
use super::view::View;
use super::words::Words;
use super::{cards, emails, ips, pairs};
use crate::pattern::{self, Over};

/// Bytes of the shortest text in which any of the families finds something: `::1`.
const SHORTEST: usize = 3;

/// Escapes within escapes that are followed: JSON in a text of JSON in a text of JSON.
const DEEPEST: usize = 4;

/// Texts up to this length are looked at once for the bytes that any family needs; longer ones have some of most.
const SHORT: usize = 64;

/// Secrets that a text with any has at most, as a rule.
const FEW: usize = 4;

const AT: u8 = 1;
const COLON: u8 = 2;
const EQUALS: u8 = 4;
const DOT: u8 = 8;
const BACKSLASH: u8 = 16;

const WORD: u8 = 32;

/// A bit for each byte that a family needs, but for those of words.
const NEEDED: [u8; 256] = {
    let mut needed = [0; 256];
    needed[b'@' as usize] = AT;
    needed[b':' as usize] = COLON;
    needed[b'=' as usize] = EQUALS;
    needed[b'.' as usize] = DOT;
    needed[b'\\' as usize] = BACKSLASH;
    needed
};

/// A secret, by where it begins and ends, and what it is without escapes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Find<'a> {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) secret: &'a [u8],
    pub(super) is_card: bool,
}

/// What is looked for, compiled.
#[derive(Debug)]
pub(super) struct Scan {
    pub(super) names: Names,
    cards: bool,
    emails: bool,
    ips: bool,
    words: Option<Words>,
    own: Vec<Regex>,
    /// The bits of each byte.
    needed: [u8; 256],
}

impl Scan {
    pub(super) fn new(names: Names, options: &RedactOptions) -> Result<Self, String> {
        let wants = |family| options.find.contains(&family);
        let own = options.patterns.iter().map(|pattern| match pattern.as_str() {
            "" => Err("an empty regex is found everywhere".to_owned()),
            pattern => pattern::compile(pattern, Over::Bytes),
        });
        let words = Words::new(wants)?;
        let mut needed = NEEDED;
        for byte in words.iter().flat_map(Words::rare) {
            needed[usize::from(byte)] |= WORD;
        }
        Ok(Self {
            names,
            cards: wants(Family::Cards),
            emails: wants(Family::Emails),
            ips: wants(Family::Ips),
            words,
            own: own.collect::<Result<_, _>>()?,
            needed,
        })
    }

    /// The bits of those that `text` may have.
    fn needed_in(&self, text: &[u8]) -> u8 {
        if text.len() > SHORT {
            return u8::MAX;
        }
        text.iter().fold(0, |found, byte| found | self.needed[usize::from(*byte)])
    }

    /// Whether nothing is looked for.
    pub(super) fn is_empty(&self) -> bool {
        !(self.cards || self.emails || self.ips)
            && self.names.is_empty()
            && self.words.is_none()
            && self.own.is_empty()
    }

    /// Adds what is in `text`, which may itself hold JSON with escapes.
    pub(super) fn find<'a>(&self, text: &'a [u8], finds: &mut ArenaVec<'a, Find<'a>>, arena: &'a Bump) {
        self.find_below(text, finds, arena, 0);
    }

    fn find_below<'a>(
        &self,
        text: &'a [u8],
        finds: &mut ArenaVec<'a, Find<'a>>,
        arena: &'a Bump,
        depth: usize,
    ) {
        let has = self.needed_in(text);
        self.plain(text, has, finds);
        if depth < DEEPEST
            && has & BACKSLASH != 0
            && let Some(view) = View::of_unicode(text, arena)
        {
            let before = finds.len();
            self.find_below(view.bytes, finds, arena, depth + 1);
            view.place(finds.iter_mut().skip(before));
        }
    }

    /// Adds what is in the inside of a JSON text.
    pub(super) fn find_in_json<'a>(
        &self,
        inside: &'a [u8],
        finds: &mut ArenaVec<'a, Find<'a>>,
        arena: &'a Bump,
    ) {
        match View::of_json(inside, arena) {
            Some(view) => {
                let before = finds.len();
                self.find(view.bytes, finds, arena);
                view.place(finds.iter_mut().skip(before));
            }
            None => self.plain(inside, self.needed_in(inside), finds),
        }
    }

    /// Adds what is in `text`, which `has` such bytes, as it stands.
    fn plain<'a>(&self, text: &'a [u8], has: u8, finds: &mut ArenaVec<'a, Find<'a>>) {
        let mut add = |start, end, is_card| {
            if let Some(secret) = text.get(start..end).filter(|secret| !secret.is_empty()) {
                // why: it would grow from one to two to four, which costs more than to find them.
                if finds.is_empty() {
                    finds.reserve(FEW);
                }
                finds.push(Find { start, end, secret, is_card });
            }
        };
        if text.len() >= SHORTEST {
            if has & (COLON | EQUALS) != 0 && !self.names.is_empty() {
                pairs::find(text, &self.names, |start, end| add(start, end, false));
            }
            if has & AT != 0 && self.emails {
                emails::find(text, |start, end| add(start, end, false));
            }
            if self.cards {
                cards::find(text, |start, end| add(start, end, true));
            }
            if has & DOT != 0 && self.ips {
                ips::find_v4(text, |start, end| add(start, end, false));
            }
            if has & COLON != 0 && self.ips {
                ips::find_v6(text, |start, end| add(start, end, false));
            }
            if has & WORD != 0
                && let Some(words) = &self.words
            {
                words.find(text, |start, end| add(start, end, false));
            }
        }
        for found in self.own.iter().flat_map(|regex| regex.find_iter(text)) {
            add(found.start(), found.end(), false);
        }
    }
}
