//! Fields by names that secrets have: `password`, `db_password`, `dbPassword` and `DB-PASSWORD` alike, and in whatever object.
//!
//! A name counts by its last words, so that `token_count` is none. Blanks, dots, dashes and underscores part words, and so does
//! an upper-case letter behind a lower-case one.

/// The words, in one piece and in lower case.
const WELL_KNOWN: &[&str] = &[
    "password",
    "passwd",
    "passwort",
    "passphrase",
    "pwd",
    "secret",
    "secrets",
    "token",
    "tokens",
    "accesstoken",
    "refreshtoken",
    "idtoken",
    "authtoken",
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
    "encryptionkey",
    "signingkey",
    "credential",
    "credentials",
    "cardnumber",
    "creditcard",
    "cvv",
    "cvc",
];

/// Names of secrets.
#[derive(Debug)]
pub(super) struct Names {
    /// In one piece and in lower case, reversed; by five bits of their last letters.
    reversed: [Vec<Vec<u8>>; 32],
    /// The last two letters of all of them: for the last one, a bit for each before it. Five bits of a byte are enough to tell
    /// most other names, and the same for both cases.
    ends: [u32; 32],
}

impl Names {
    /// The well-known ones, where they are `wanted`, and `more`.
    pub(super) fn new(wanted: bool, more: &[String]) -> Result<Self, String> {
        let well_known = WELL_KNOWN.iter().copied().filter(|_| wanted);
        let (mut reversed, mut ends) = (std::array::from_fn(|_| Vec::new()), [0; 32]);
        for name in well_known.chain(more.iter().map(String::as_str)) {
            let letters = name.bytes().rev().filter(|byte| !parts(*byte));
            let name: Vec<u8> = letters.map(|byte| byte.to_ascii_lowercase()).collect();
            let Some(last) = name.first() else { return Err("a name of a secret has no letter".into()) };
            let last = usize::from(last % 32);
            if let (Some(end), Some(alike)) = (ends.get_mut(last), reversed.get_mut(last)) {
                *end |= name.get(1).map_or(u32::MAX, |before| 1 << (before % 32));
                alike.push(name);
            }
        }
        Ok(Self { reversed, ends })
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.reversed.iter().all(Vec::is_empty)
    }

    /// Whether a name that ends so may be one: a first look.
    #[inline]
    pub(super) fn may_cover(&self, name: &[u8]) -> bool {
        let [.., before, last] = name else { return !name.is_empty() };
        let ends = self.ends.get(usize::from(last % 32)).copied().unwrap_or_default();
        parts(*last) || (ends != 0 && (parts(*before) || ends & 1 << (before % 32) != 0))
    }

    /// Whether a field called `name` holds a secret.
    #[inline]
    pub(super) fn cover(&self, name: &[u8]) -> bool {
        self.may_cover(name) && self.covers(name)
    }

    fn covers(&self, name: &[u8]) -> bool {
        let last = name.iter().rev().find(|byte| !parts(**byte));
        let alike = last.and_then(|last| self.reversed.get(usize::from(last % 32)));
        alike.is_some_and(|alike| alike.iter().any(|secret| ends_with(name, secret)))
    }
}

/// Whether the last words of `name` are the `secret`, which is reversed.
fn ends_with(name: &[u8], secret: &[u8]) -> bool {
    let mut rest = name;
    for expected in secret {
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
        ] {
            assert!(names.cover(secret.as_bytes()), "{secret}");
        }
        for other in [
            "",
            "token_count",
            "passwords_reset",
            "xpassword",
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
    fn only_what_is_named_is_one_where_the_well_known_are_not_wanted() {
        let names = Names::new(false, &["iban".into()]).expect("names");
        assert!(names.cover(b"payment.iban") && !names.cover(b"password"));
        assert!(Names::new(false, &[]).is_ok_and(|names| names.is_empty() && !names.cover(b"password")));
        assert!(Names::new(false, &["_".into()]).is_err());
    }
}
