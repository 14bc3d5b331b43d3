//! Grok: a regex in which `%{NAME}` stands for a pattern of that name, `%{NAME:field}` for one that is a field, and
//! `%{NAME:field:int}` for one with a type. Patterns are made of others in the same way.
//!
//! It becomes one regex at the start. Groups get names by number, so that a field may be called whatever a field may be:
//! `[http][request][method]`, as Logstash's patterns have it, is `http.request.method`.
//! <https://www.elastic.co/docs/reference/logstash/plugins/plugins-filters-grok>

use super::grok_patterns::PATTERNS;
use super::regex::Regex;
use super::{Described, OwnFault};

/// Patterns within patterns.
const DEEPEST: usize = 32;

/// Bytes that an expression may become.
const LONGEST: usize = 64 << 10;

/// Compiles `expression`, with the patterns `own` before the well-known ones, and says what its fields are called.
pub(super) fn compile(
    expression: &str,
    own: &[(String, String)],
) -> Result<(Regex, Vec<Described>), OwnFault> {
    for (name, pattern) in own {
        let compiled = Expansion::of(pattern, own).and_then(|whole| Regex::new(&whole.regex));
        compiled.map_err(|why| OwnFault::new("patterns", format!("{name}: {why}")))?;
    }
    let expansion = Expansion::of(expression, own).map_err(|why| OwnFault::new("grok", why))?;
    let compiled = Regex::new(&expansion.regex);
    let (regex, described) = compiled.map_err(|why| {
        OwnFault::new("grok", format!("{why}, which it becomes: {}", shortened(&expansion.regex)))
    })?;
    let described = described.into_iter().map(|described| expansion.told(described)).collect();
    Ok((regex, described))
}

fn shortened(regex: &str) -> &str {
    regex.char_indices().nth(200).and_then(|(end, _)| regex.get(..end)).unwrap_or(regex)
}

/// What is left of a regex when all names are patterns.
struct Expansion<'p> {
    own: &'p [(String, String)],
    regex: String,
    fields: Vec<Described>,
    /// The patterns around.
    within: Vec<&'p str>,
}

impl<'p> Expansion<'p> {
    fn of(expression: &'p str, own: &'p [(String, String)]) -> Result<Self, String> {
        let mut expansion = Self { own, regex: String::new(), fields: Vec::new(), within: Vec::new() };
        expansion.expand(expression)?;
        Ok(expansion)
    }

    fn expand(&mut self, pattern: &'p str) -> Result<(), String> {
        let mut rest = pattern;
        while let Some((plain, name)) = rest.split_once("%{") {
            self.regex.push_str(plain);
            let (name, after) = name.split_once('}').ok_or_else(|| format!("`%{{{name}` has no end"))?;
            self.named(name)?;
            rest = after;
        }
        self.regex.push_str(rest);
        if self.regex.len() > LONGEST {
            return Err(format!("becomes a regex of more than {LONGEST} bytes"));
        }
        Ok(())
    }

    /// `NAME`, `NAME:field` or `NAME:field:type`.
    fn named(&mut self, inside: &'p str) -> Result<(), String> {
        let mut parts = inside.splitn(3, ':');
        let (name, field, word) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
        let pattern = self.pattern(name)?;
        if self.within.contains(&name) {
            return Err(format!("`{name}` is made of itself: {} in {name}", self.within.join(" in ")));
        }
        if self.within.len() == DEEPEST {
            return Err(format!("`{name}` lies in more than {DEEPEST} patterns"));
        }
        match field.filter(|field| !field.is_empty()) {
            Some(field) => {
                self.regex.push_str(&format!("(?P<_{}>", self.fields.len()));
                self.fields.push((unbracketed(field), word.map(str::to_owned)));
            }
            None => self.regex.push_str("(?:"),
        }
        self.within.push(name);
        self.expand(pattern)?;
        self.within.pop();
        self.regex.push(')');
        Ok(())
    }

    fn pattern(&self, name: &str) -> Result<&'p str, String> {
        let own = self.own.iter().find(|(own, _)| own == name).map(|(_, pattern)| pattern.as_str());
        let known = || PATTERNS.iter().find(|(known, _)| *known == name).map(|(_, pattern)| *pattern);
        own.or_else(known).ok_or_else(|| {
            let all =
                self.own.iter().map(|(own, _)| own.as_str()).chain(PATTERNS.iter().map(|(known, _)| *known));
            let nearest = all.min_by_key(|other| strsim::damerau_levenshtein(other, name));
            format!("`{name}` is no pattern; did you mean `{}`?", nearest.unwrap_or("DATA"))
        })
    }

    /// The field that a group by number stands for; one with a name of its own is a field itself.
    fn told(&self, described: Described) -> Described {
        let number = described.0.strip_prefix('_').and_then(|number| number.parse::<usize>().ok());
        number.and_then(|number| self.fields.get(number).cloned()).unwrap_or(described)
    }
}

/// `[a][b]` as `a.b`.
fn unbracketed(field: &str) -> String {
    match field.strip_prefix('[').and_then(|inside| inside.strip_suffix(']')) {
        Some(inside) => inside.replace("][", "."),
        None => field.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use regex_automata::meta::Regex as Engine;

    use super::*;
    use crate::pattern::{self, Over};

    fn engine(name: &str) -> Engine {
        let expression = format!("%{{{name}}}");
        let expansion = Expansion::of(&expression, &[]).unwrap_or_else(|why| panic!("{name}: {why}"));
        let whole = super::super::regex::with_types(&format!("^(?:{})$", expansion.regex));
        pattern::compile(&whole, Over::Text).unwrap_or_else(|why| panic!("{name}: {why}"))
    }

    #[test]
    fn every_well_known_pattern_is_one() {
        for (name, _) in PATTERNS {
            engine(name);
        }
    }

    #[test]
    fn patterns_take_what_they_are_named_after_and_nothing_near() {
        for (name, good, bad) in [
            ("EMAILADDRESS", &["a.b+c@example.org"][..], &["a@", "@b.c"][..]),
            ("QUOTEDSTRING", &[r#""a \"b\"""#, "'x'", "``"], &[r#""a"#, "a"]),
            ("UUID", &["123e4567-e89b-12d3-a456-426614174000"], &["123e4567e89b12d3a456426614174000"]),
            ("INT", &["7", "-7", "+7"], &["7.5", ""]),
            ("NUMBER", &["7", "-7.5", ".5", "7."], &["7e3", "."]),
            ("POSINT", &["7", "70"], &["0", "07"]),
            ("MAC", &["00:1b:44:11:3a:b7", "00-1B-44-11-3A-B7", "001b.4411.3ab7"], &["00:1b:44:11:3a"]),
            ("IPV4", &["10.0.0.1", "255.255.255.255"], &["256.0.0.1", "10.0.0", "1.2.3.4.5"]),
            (
                "IPV6",
                &[
                    "::1",
                    "fe80::1%eth0",
                    "2001:db8::8a2e:370:7334",
                    "::ffff:10.0.0.1",
                    "1:2:3:4:5:6:7:8",
                    "::",
                ],
                &["1:2:3", "1::2::3", "12345::1", "1:2:3:4:5:6:7:8:9"],
            ),
            ("IPORHOST", &["::1", "10.0.0.1", "web-1.example.org"], &["-a", "a b"]),
            ("HOSTPORT", &["web-1:8080", "10.0.0.1:80"], &["web-1", "web-1:"]),
            ("UNIXPATH", &["/", "/var/log/a.log"], &["var", ""]),
            ("WINPATH", &[r"C:\Windows\a.txt"], &["C:"]),
            ("URI", &["http://a.example/b?c=d", "ftp://u:p@h:21/x"], &["a.example/b"]),
            ("MONTH", &["Jan", "january", "May", "Sept"], &["Jam", "Janu"]),
            ("TIME", &["10:30:45", "23:59:60.123"], &["24:00:00", "10:30"]),
            (
                "TIMESTAMP_ISO8601",
                &["2024-01-15T10:30:45.123Z", "2024-01-15 10:30:45,123+0100", "2024-01-15 10:30"],
                &["2024-13-15T10:30:45Z", "2024-01-15"],
            ),
            ("DATESTAMP", &["15.01.2024 10:30:45", "01/15/2024-10:30:45"], &["2024/15/01 10:30:45"]),
            ("DATESTAMP_RFC2822", &["Mon, 15 Jan 2024 10:30:45 +0000"], &["15 Jan 2024"]),
            ("SYSLOGTIMESTAMP", &["Jan 15 10:30:45", "Jan  5 10:30:45"], &["Jan 32 10:30:45"]),
            ("HTTPDATE", &["15/Jan/2024:10:30:45 +0000"], &["15/01/2024:10:30:45 +0000"]),
            ("LOGLEVEL", &["WARN", "warning", "Err", "CRITICAL"], &["WARNED", "low"]),
            (
                "JAVASTACKTRACEPART",
                &["\tat a.B.c(D.java:7)", " at a.B.<init>(Unknown Source)"],
                &["at a.B.c(D.java:7)"],
            ),
        ] {
            let engine = engine(name);
            good.iter().for_each(|text| assert!(engine.is_match(*text), "{name} does not take `{text}`"));
            bad.iter().for_each(|text| assert!(!engine.is_match(*text), "{name} takes `{text}`"));
        }
    }

    #[test]
    fn patterns_that_double_themselves_end_at_a_bound() {
        let name = |level: usize| format!("P{level}");
        let mut own: Vec<_> =
            (0..30).map(|level| (name(level), format!("%{{{0}}}%{{{0}}}", name(level + 1)))).collect();
        own.push((name(30), "x".into()));
        let why = Expansion::of("%{P0}", &own).err().expect("too long");
        assert!(why.contains("65536 bytes"), "{why}");
    }
}
