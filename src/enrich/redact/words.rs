//! Secrets that begin with a text of their own: tokens, keys, URLs with a password, options of commands. All these texts are looked for at once, and
//! what follows one is looked at where it stands.
//!
//! Prefixes as their issuers document them; a run of the right letters and of the right length must follow.

use aho_corasick::{AhoCorasick, MatchKind};

use super::options::Family;
use super::{arguments, tokens, urls};

/// What must follow a prefix.
#[derive(Clone, Copy, Debug)]
enum Rest {
    /// So many letters and digits, or these and some more characters, at least and at most.
    Run(&'static [u8], usize, usize),
    /// What a function finds.
    Found(Look),
}

/// Looks at a text from the beginning and the end of a prefix, and answers where the secret begins and ends.
type Look = fn(&[u8], usize, usize) -> Option<(usize, usize)>;

use Rest::{Found, Run};

/// As many as there are.
const ANY: usize = usize::MAX;

const WORDS: &[(&str, Family, Rest)] = &[
    ("eyJ", Family::Tokens, Found(tokens::jwt)),
    ("Bearer ", Family::Tokens, Found(tokens::bearer)),
    ("bearer ", Family::Tokens, Found(tokens::bearer)),
    ("BEARER ", Family::Tokens, Found(tokens::bearer)),
    ("Basic ", Family::Tokens, Found(tokens::basic)),
    ("basic ", Family::Tokens, Found(tokens::basic)),
    ("BASIC ", Family::Tokens, Found(tokens::basic)),
    ("://", Family::Urls, Found(urls::user)),
    ("-----BEGIN ", Family::Keys, Found(tokens::private_key)),
    // `--db-password x` and `<password>x</password>`, which have none of the signs that names stand before.
    ("-password ", Family::Names, Found(arguments::option)),
    ("-passwd ", Family::Names, Found(arguments::option)),
    ("-passphrase ", Family::Names, Found(arguments::option)),
    ("-secret ", Family::Names, Found(arguments::option)),
    ("-token ", Family::Names, Found(arguments::option)),
    ("-api-key ", Family::Names, Found(arguments::option)),
    ("assword>", Family::Names, Found(arguments::element)),
    ("asswd>", Family::Names, Found(arguments::element)),
    ("ecret>", Family::Names, Found(arguments::element)),
    ("oken>", Family::Names, Found(arguments::element)),
    // Amazon
    ("AKIA", Family::Keys, Run(b"", 16, 16)),
    ("ASIA", Family::Keys, Run(b"", 16, 16)),
    // Google
    ("AIza", Family::Keys, Run(b"_-", 35, ANY)),
    ("ya29.", Family::Keys, Run(b"._-", 20, ANY)),
    ("GOCSPX-", Family::Keys, Run(b"_-", 28, ANY)),
    // Azure storage
    ("AccountKey=", Family::Keys, Run(b"+/=", 40, ANY)),
    // GitHub, GitLab
    ("ghp_", Family::Keys, Run(b"", 36, ANY)),
    ("gho_", Family::Keys, Run(b"", 36, ANY)),
    ("ghu_", Family::Keys, Run(b"", 36, ANY)),
    ("ghs_", Family::Keys, Run(b"_", 36, ANY)),
    ("ghr_", Family::Keys, Run(b"", 36, ANY)),
    ("github_pat_", Family::Keys, Run(b"_", 22, ANY)),
    ("glpat-", Family::Keys, Run(b"_.-", 20, ANY)),
    // Slack
    ("xoxa-", Family::Keys, Run(b"-", 10, ANY)),
    ("xoxb-", Family::Keys, Run(b"-", 10, ANY)),
    ("xoxe-", Family::Keys, Run(b"-", 10, ANY)),
    ("xoxe.", Family::Keys, Run(b".-", 10, ANY)),
    ("xoxp-", Family::Keys, Run(b"-", 10, ANY)),
    ("xoxr-", Family::Keys, Run(b"-", 10, ANY)),
    ("xoxs-", Family::Keys, Run(b"-", 10, ANY)),
    ("xapp-", Family::Keys, Run(b"-", 10, ANY)),
    // Stripe, OpenAI and Anthropic, SendGrid, npm, PyPI, Vault, DigitalOcean
    ("sk_live_", Family::Keys, Run(b"", 16, ANY)),
    ("sk_test_", Family::Keys, Run(b"", 16, ANY)),
    ("rk_live_", Family::Keys, Run(b"", 16, ANY)),
    ("sk-", Family::Keys, Run(b"_-", 32, ANY)),
    ("SG.", Family::Keys, Run(b"._-", 60, ANY)),
    ("npm_", Family::Keys, Run(b"", 36, ANY)),
    ("pypi-", Family::Keys, Run(b"_-", 32, ANY)),
    ("hvs.", Family::Keys, Run(b"_-", 24, ANY)),
    ("dop_v1_", Family::Keys, Run(b"", 64, 64)),
];

/// The texts that are wanted, to be looked for at once.
#[derive(Debug)]
pub(super) struct Words {
    search: AhoCorasick,
    rests: Vec<Rest>,
    /// A byte of each, one that few short texts have.
    rare: Vec<u8>,
}

/// How many texts have a byte, roughly: its place in here; others are rarer.
const COMMON: &[u8] = b"_-zqjxkvbgpfywmuh.cdlnosirate 0123456789";

impl Words {
    /// Those of the families that are `wanted`; none where there are none.
    pub(super) fn new(wanted: impl Fn(Family) -> bool) -> Result<Option<Self>, String> {
        let words: Vec<_> = WORDS.iter().filter(|(_, family, _)| wanted(*family)).collect();
        if words.is_empty() {
            return Ok(None);
        }
        let commonness = |byte: &u8| memchr::memchr(*byte, COMMON).map_or(0, |place| place + 1);
        let rare = words.iter().filter_map(|(word, ..)| word.bytes().min_by_key(commonness)).collect();
        let rests = words.iter().map(|(.., rest)| *rest).collect();
        let mut builder = AhoCorasick::builder();
        let search = builder.match_kind(MatchKind::LeftmostFirst).build(words.iter().map(|(word, ..)| word));
        Ok(Some(Self { search: search.map_err(|error| error.to_string())?, rests, rare }))
    }

    /// Bytes of which a text has one, if it has one of the words.
    pub(super) fn rare(&self) -> impl Iterator<Item = u8> {
        self.rare.iter().copied()
    }

    /// Hands each secret in `text` to `found`, by where it begins and ends.
    pub(super) fn find(&self, text: &[u8], mut found: impl FnMut(usize, usize)) {
        // What lies in a secret goes with it; to look at it again would take quadratic time.
        let mut done = 0;
        for word in self.search.find_iter(text) {
            if word.start() < done {
                continue;
            }
            let secret = match self.rests.get(word.pattern().as_usize()) {
                Some(Run(more, least, most)) => run(text, word.start(), word.end(), more, *least, *most),
                Some(Found(find)) => find(text, word.start(), word.end()),
                None => None,
            };
            if let Some((start, end)) = secret {
                found(start, end);
                done = end;
            }
        }
    }
}

fn run(
    text: &[u8],
    start: usize,
    from: usize,
    more: &[u8],
    least: usize,
    most: usize,
) -> Option<(usize, usize)> {
    if start.checked_sub(1).and_then(|at| text.get(at)).is_some_and(u8::is_ascii_alphanumeric) {
        return None;
    }
    let length = tokens::run(text, from, |byte| more.contains(&byte));
    (least..=most).contains(&length).then_some((start, from + length))
}
