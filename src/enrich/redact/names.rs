//! Fields by names that secrets have: `password`, `db_password`, `dbPassword` and `DB-PASSWORD` alike, and in whatever object.
//!
//! A name counts by its last words, so that `token_count` is none. Blanks, dots, dashes and underscores part words, and so does
//! an upper-case letter behind a lower-case one. A password is told without that too, as in `PGPASSWORD`, and a digit behind a
//! name, as in `password1`, makes it no other.
//!
//! Some names are a secret's or a count's: `tokens` is how many a model read as often, and `pass` how many tests did.

/// The words, in one piece and in lower case.
const WELL_KNOWN: &[&str] = &[
    "password",
    "passwd",
    "passwort",
    "passphrase",
    "passwordconfirm",
    "passwordconfirmation",
    "passwordrepeat",
    "passwordhash",
    "passwordnew",
    "passwordold",
    "pass",
    "pwd",
    "secret",
    "secrets",
    "token",
    "tokens",
    "accesstoken",
    "refreshtoken",
    "idtoken",
    "authtoken",
    "jwt",
    "authorization",
    "cookie",
    "cookies",
    "setcookie",
    "apikey",
    "apikeys",
    "secretkey",
    "privatekey",
    "accesskey",
    "accesskeyid",
    "accountkey",
    "encryptionkey",
    "signingkey",
    "credential",
    "credentials",
    "cardnumber",
    "creditcard",
    "cvv",
    "cvc",
];

fn may_be_a_count(name: &[u8]) -> bool {
    const TOKENS: &[u8] = b"tokens";
    let last = name.get(name.len().saturating_sub(TOKENS.len())..).unwrap_or_default();
    last.eq_ignore_ascii_case(TOKENS) || name.eq_ignore_ascii_case(b"pass")
}

/// Whether `text` is a number and nothing else, as JSON has it.
pub(super) fn is_number(text: &[u8]) -> bool {
    text.first().is_some_and(|first| first.is_ascii_digit() || *first == b'-')
        && text.last().is_some_and(u8::is_ascii_digit)
        && str::from_utf8(text).is_ok_and(|text| text.parse::<f64>().is_ok())
}

/// Names of secrets.
#[derive(Debug)]
pub(super) struct Names {
    /// By five bits of their last letters.
    secrets: [Vec<Secret>; 32],
    /// The last two letters of all of them: for the last one, a bit for each before it. Five bits of a byte are enough to tell
    /// most other names, and the same for both cases.
    ends: [u32; 32],
    /// Whether somebody named one himself that is a count's as often, and so means it.
    is_strict: bool,
}

/// The name of a secret.
#[derive(Debug)]
struct Secret {
    /// In one piece and in lower case, reversed.
    reversed: Vec<u8>,
    /// Whether it is one behind other letters too.
    is_glued: bool,
}

impl Names {
    /// The well-known ones, where they are `wanted`, and `more`.
    pub(super) fn new(wanted: bool, more: &[String]) -> Result<Self, String> {
        let well_known = WELL_KNOWN.iter().copied().filter(|_| wanted);
        let (mut secrets, mut ends) = (std::array::from_fn(|_| Vec::new()), [0; 32]);
        for name in well_known.chain(more.iter().map(String::as_str)) {
            let letters = name.bytes().rev().filter(|byte| !parts(*byte));
            let reversed: Vec<u8> = letters.map(|byte| byte.to_ascii_lowercase()).collect();
            let Some(last) = reversed.first() else { return Err("a name of a secret has no letter".into()) };
            let last = usize::from(last % 32);
            if let (Some(end), Some(alike)) = (ends.get_mut(last), secrets.get_mut(last)) {
                *end |= reversed.get(1).map_or(u32::MAX, |before| 1 << (before % 32));
                let is_glued = reversed.ends_with(b"wssap");
                alike.push(Secret { reversed, is_glued });
            }
        }
        let is_strict = more.iter().any(|name| may_be_a_count(name.as_bytes()));
        Ok(Self { secrets, ends, is_strict })
    }

    /// Whether a secret is one whatever its value is.
    pub(super) fn is_strict(&self) -> bool {
        self.is_strict
    }

    /// Whether the name is as often that of a count, so that with a number it is no secret's.
    pub(super) fn may_be_a_count(&self, name: &[u8]) -> bool {
        !self.is_strict && may_be_a_count(name)
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.secrets.iter().all(Vec::is_empty)
    }

    /// Whether a name that ends so may be one: a first look.
    #[inline]
    pub(super) fn may_cover(&self, name: &[u8]) -> bool {
        let [.., before, last] = without_digit(name) else { return !name.is_empty() };
        let ends = self.ends.get(usize::from(last % 32)).copied().unwrap_or_default();
        parts(*last) || (ends != 0 && (parts(*before) || ends & 1 << (before % 32) != 0))
    }

    /// Whether a field called `name` holds a secret.
    #[inline]
    pub(super) fn cover(&self, name: &[u8]) -> bool {
        self.may_cover(name) && self.covers(name)
    }

    fn covers(&self, name: &[u8]) -> bool {
        let is_one = |name: &[u8]| {
            let last = name.iter().rev().find(|byte| !parts(**byte));
            let alike = last.and_then(|last| self.secrets.get(usize::from(last % 32)));
            alike.is_some_and(|alike| alike.iter().any(|secret| ends_with(name, secret)))
        };
        let plain = without_digit(name);
        is_one(name) || (plain.len() < name.len() && is_one(plain))
    }
}

/// The name without the digit at its end, of which it has one.
#[inline]
fn without_digit(name: &[u8]) -> &[u8] {
    match name {
        [rest @ .., digit] if digit.is_ascii_digit() && !rest.last().is_some_and(u8::is_ascii_digit) => rest,
        name => name,
    }
}

/// Whether the last words of `name` are the `secret`.
fn ends_with(name: &[u8], secret: &Secret) -> bool {
    let mut rest = name;
    for expected in &secret.reversed {
        while let [before @ .., byte] = rest
            && parts(*byte)
        {
            rest = before;
        }
        match rest {
            [before @ .., byte] if byte.to_ascii_lowercase() == *expected => rest = before,
            _ => return false,
        }
    }
    let first = name.get(rest.len()).copied().unwrap_or_default();
    match rest.last() {
        Some(_) if secret.is_glued => true,
        Some(before) => {
            !before.is_ascii_alphanumeric() || (first.is_ascii_uppercase() && before.is_ascii_lowercase())
        }
        None => true,
    }
}

fn parts(byte: u8) -> bool {
    matches!(byte, b'_' | b'-' | b'.' | b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_counts_by_its_last_words() {
        let names = Names::new(true, &["Kunden-Nummer".into()]).expect("names");
        for secret in [
            "password",
            "Password",
            "db_password",
            "dbPassword",
            "DB-PASSWORD",
            "user.password",
            "x-api-key",
            "apiKey",
            "api_key",
            "Set-Cookie",
            "proxy-authorization",
            "client_secret",
            "kundennummer",
            "kundenNummer",
            "AWS_ACCESS_KEY_ID",
            "PGPASSWORD",
            "newpassword",
            "password_confirmation",
            "password1",
            "password_2",
            "user.password_hash",
            "passwordOld",
            "db_pass",
            "jwt",
            "accountKey",
            "cvv2",
        ] {
            assert!(names.cover(secret.as_bytes()), "{secret}");
        }
        for other in [
            "",
            "token_count",
            "passwords_reset",
            "passwords_reset1",
            "bypass",
            "compass",
            "password_length",
            "password10",
            "5",
            "cookiebanner",
            "secretary",
            "keys",
            "author",
            "größe",
        ] {
            assert!(!names.cover(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn a_number_of_tokens_is_a_count() {
        for (name, is_count) in [
            ("tokens", true),
            ("max_tokens", true),
            ("promptTokens", true),
            ("Pass", true),
            ("db_pass", false),
            ("token", false),
        ] {
            assert_eq!(may_be_a_count(name.as_bytes()), is_count, "{name}");
        }
        assert!(
            is_number(b"812")
                && is_number(b"-1.5e3")
                && !is_number(b"")
                && !is_number(b"e5")
                && !is_number(b"4a")
                && !is_number(b"2024-11-28-77")
                && !is_number(b"-infinity")
        );
    }

    #[test]
    fn only_what_is_named_is_one_where_the_well_known_are_not_wanted() {
        let names = Names::new(false, &["iban".into()]).expect("names");
        assert!(names.cover(b"payment.iban") && !names.cover(b"password"));
        assert!(Names::new(false, &[]).is_ok_and(|names| names.is_empty() && !names.cover(b"password")));
        assert!(Names::new(false, &["_".into()]).is_err());
    }
}
