//! Which indices the option `index` can name: the patterns of the index template, and a name to try it with.

/// What one template of index names says, as an index template needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Naming {
    /// The names, with `*` for every placeholder.
    pub(super) pattern: String,
    /// A name that documents could go to.
    pub(super) sample: String,
    /// Whether the names follow the scheme of data streams, TYPE-DATASET-NAMESPACE.
    pub(super) data_stream: bool,
    /// What the template is called.
    pub(super) template: String,
    /// The template's priority: below Elastic's own (100), and higher the more of the names the pattern says, since two
    /// templates of the same priority must not overlap.
    pub(super) priority: usize,
}

impl Naming {
    /// A naming for each of `indices`, the fallback among them, whose names no earlier one covers, and those of which no
    /// template can be made.
    pub(super) fn all<'a>(indices: impl IntoIterator<Item = &'a str>) -> (Vec<Self>, Vec<&'a str>) {
        let (mut all, mut without) = (Vec::<Self>::new(), Vec::new());
        for index in indices {
            let covers = |naming: &Self| matches(&naming.pattern, &pattern(index));
            match Self::of(index) {
                Some(naming) if !all.iter().any(covers) => all.push(naming),
                Some(_) => (),
                None => without.push(index),
            }
        }
        (all, without)
    }

    /// Nothing where the pattern would begin with a placeholder: it would match what is none of ours.
    pub(super) fn of(index: &str) -> Option<Self> {
        let pattern = pattern(index);
        if pattern.starts_with('*') || pattern.is_empty() {
            return None;
        }
        let words: Vec<_> = pattern.split(['-', '*', '.', '_']).filter(|word| !word.is_empty()).collect();
        let said = pattern.chars().filter(|char| *char != '*').count();
        Some(Self {
            sample: pattern.replace('*', "any"),
            data_stream: follows_scheme(index),
            template: format!("forebay-{}", words.join("-")),
            priority: 50 + said.min(49),
            pattern,
        })
    }
}

/// A date in the name makes an index a day; a data stream rolls over by itself, so its name carries none.
fn follows_scheme(index: &str) -> bool {
    let typed = ["logs-", "metrics-", "traces-"].iter().any(|kind| index.starts_with(kind));
    typed && index.splitn(3, '-').filter(|part| !part.is_empty()).count() == 3 && !index.contains('%')
}

/// `{…}` and strftime's `%…` become `*`; the rest is lower case, as index names are.
fn pattern(index: &str) -> String {
    let mut pattern = String::new();
    let mut chars = index.chars();
    while let Some(char) = chars.next() {
        let star = match char {
            '{' => chars.by_ref().any(|char| char == '}'),
            '%' => chars.by_ref().any(|char| !matches!(char, '-' | '_' | '^' | '#' | '.' | ':' | '0'..='9')),
            _ => {
                pattern.extend(char.to_lowercase());
                continue;
            }
        };
        if star && !pattern.ends_with('*') {
            pattern.push('*');
        }
    }
    pattern
}

/// Whether `name` fits `pattern`, in which `*` stands for any characters.
pub(in crate::output) fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((head, tail)) => name.strip_prefix(head).is_some_and(|rest| matches_tail(tail, rest)),
    }
}

/// After a `*`: the next literal may begin anywhere, the last must end the name.
fn matches_tail(tail: &str, rest: &str) -> bool {
    match tail.split_once('*') {
        None => rest.ends_with(tail),
        Some((literal, tail)) => rest
            .find(literal)
            .and_then(|at| rest.get(at + literal.len()..))
            .is_some_and(|rest| matches_tail(tail, rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_become_stars() {
        let naming = Naming::of("logs-{tag}-default").expect("names");
        assert_eq!(naming.pattern, "logs-*-default");
        assert_eq!(naming.sample, "logs-any-default");
        assert_eq!(naming.template, "forebay-logs-default");
        assert!(naming.data_stream);
    }

    #[test]
    fn dates_make_plain_indices() {
        let naming = Naming::of("App-{field.a-b}-%Y.%m.%d").expect("names");
        assert_eq!(naming.pattern, "app-*-*.*.*");
        assert!(!naming.data_stream);
        assert!(!Naming::of("logs-app-prod-%Y").expect("names").data_stream);
        assert!(!Naming::of("logs").expect("names").data_stream);
    }

    #[test]
    fn each_index_gets_a_naming_but_for_those_that_an_earlier_one_covers() {
        let indices =
            ["logs-{tag}-default", "app-{tag}-%Y", "logs-web-default", "{tag}", "app-{tag}-%Y", "lost"];
        let (all, without) = Naming::all(indices);
        let patterns: Vec<_> = all.iter().map(|naming| naming.pattern.as_str()).collect();
        assert_eq!(patterns, ["logs-*-default", "app-*-*", "lost"]);
        assert_eq!(without, ["{tag}"]);
    }

    #[test]
    fn a_pattern_that_says_more_of_a_name_comes_first_and_all_come_after_elastics_own() {
        let priority = |index: &str| Naming::of(index).expect("names").priority;
        assert!(priority("logs-forebay-default") > priority("logs-{tag}-default"));
        assert!(priority("logs-{tag}-default") > priority("logs-{tag}"));
        assert!(priority(&"a".repeat(200)) < 100);
    }

    #[test]
    fn stars_match_any_characters_and_literals_only_themselves() {
        for (pattern, name, fits) in [
            ("logs-*-*", "logs-a-b", true),
            ("*", "x", true),
            ("logs-*", "metrics-a", false),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxcyyb", false),
            ("a*bc", "abcbc", true),
            ("a", "a", true),
            ("a", "ab", false),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }
}
