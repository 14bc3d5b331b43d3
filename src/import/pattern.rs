//! How patterns of tags stand to one another: which takes all that another takes, and which share some.
//!
//! A pattern is one or several side by side, of parts between dots, as [`Pattern`] has it.

use crate::event::Pattern;

/// More parts than a pattern has that a person wrote; patterns beyond that are as strangers to one another.
const MOST_PARTS: usize = 64;
/// More patterns side by side than a person writes.
const MOST: usize = 256;

/// Whether `wide` takes every tag that `narrow` takes.
pub(super) fn covers(wide: &str, narrow: &str) -> bool {
    let wide = flat(wide);
    flat(narrow).iter().all(|narrow| wide.iter().any(|wide| relate(wide, narrow, covers_one)))
}

/// Whether there is a tag that both take.
pub(super) fn overlaps(one: &str, other: &str) -> bool {
    let one = flat(one);
    flat(other).iter().any(|other| one.iter().any(|one| relate(one, other, overlaps_one)))
}

/// Whether Forebay reads it as a pattern.
pub(super) fn is_one(pattern: &str) -> bool {
    pattern.parse::<Pattern>().is_ok()
}

/// The pattern where `star` stands for anything, dots included, wherever it is: here only a whole part goes over dots.
pub(super) fn over_dots(pattern: &str, star: &str) -> String {
    let mut done: Vec<String> = Vec::new();
    let mut literals = pattern.split(star);
    done.push(literals.next().unwrap_or_default().to_owned());
    let rest: Vec<&str> = literals.collect();
    for (index, right) in rest.iter().enumerate() {
        if right.is_empty() && index + 1 < rest.len() {
            continue;
        }
        let begins = !right.is_empty() && !right.starts_with('.');
        let gaps = |left: &String| -> &[&str] {
            match (!left.is_empty() && !left.ends_with('.'), begins) {
                (false, false) => &["**"],
                (true, false) => &["*.**"],
                (false, true) => &["**.*"],
                (true, true) => &["*", "*.**.*"],
            }
        };
        done = done
            .iter()
            .flat_map(|left| gaps(left).iter().map(move |gap| format!("{left}{gap}{right}")))
            .take(MOST)
            .collect();
    }
    done.join(" ")
}

/// The patterns side by side, with braces written out.
fn flat(pattern: &str) -> Vec<String> {
    let mut open: Vec<String> = pattern.split_whitespace().map(str::to_owned).collect();
    let mut done = Vec::new();
    while let Some(one) = open.pop() {
        let halves = one.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)));
        match halves {
            Some((before, (choices, after))) if open.len() + done.len() < MOST => {
                open.extend(choices.split(',').map(|choice| format!("{before}{choice}{after}")));
            }
            _ => done.push(one),
        }
    }
    done
}

/// What becomes of the rest of both patterns is known from the end on, so that no pattern takes longer than the product
/// of both lengths.
fn relate(one: &str, other: &str, cell: fn(&Cell<'_>) -> bool) -> bool {
    let one: Vec<&str> = one.split('.').collect();
    let other: Vec<&str> = other.split('.').collect();
    if one.len().max(other.len()) > MOST_PARTS {
        return false;
    }
    let mut below = vec![false; other.len() + 2];
    for i in (0..=one.len()).rev() {
        let mut row = vec![false; other.len() + 2];
        for j in (0..=other.len()).rev() {
            let known = Cell {
                one: one.get(i).copied(),
                other: other.get(j).copied(),
                down: below[j],
                right: row[j + 1],
                both: below[j + 1],
            };
            row[j] = cell(&known);
        }
        below = row;
    }
    below[0]
}

/// The next part of both, if any, and what holds behind one part more of the first, of the other, of both.
struct Cell<'p> {
    one: Option<&'p str>,
    other: Option<&'p str>,
    down: bool,
    right: bool,
    both: bool,
}

fn covers_one(cell: &Cell<'_>) -> bool {
    match (cell.one, cell.other) {
        (None, None) => true,
        (Some("**"), Some(_)) => cell.down || cell.right,
        (Some("**"), None) => cell.down,
        (_, Some("**")) | (None, _) | (_, None) => false,
        (Some(one), Some(other)) => part_covers(one, other) && cell.both,
    }
}

fn overlaps_one(cell: &Cell<'_>) -> bool {
    match (cell.one, cell.other) {
        (None, None) => true,
        (Some("**"), other) => cell.down || (other.is_some() && cell.right),
        (one, Some("**")) => cell.right || (one.is_some() && cell.down),
        (None, _) | (_, None) => false,
        (Some(one), Some(other)) => part_overlaps(one, other) && cell.both,
    }
}

fn part_covers(wide: &str, narrow: &str) -> bool {
    let begins = wide.strip_suffix('*').filter(|begin| !begin.contains('*'));
    wide == narrow
        || begins.is_some_and(|begin| narrow.starts_with(begin))
        || (!narrow.contains('*') && wide.parse().is_ok_and(|wide: Pattern| wide.matches(narrow)))
}

fn part_overlaps(one: &str, other: &str) -> bool {
    (one.contains('*') && other.contains('*')) || part_covers(one, other) || part_covers(other, one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_covers_those_that_take_less() {
        for (wide, narrow) in
            [("**", "a.b"), ("a.**", "a"), ("a.**", "a.*.c"), ("*", "x*"), ("a b", "b"), ("{a,b}.*", "b.c")]
        {
            assert!(covers(wide, narrow), "{wide} {narrow}");
            assert!(overlaps(wide, narrow), "{wide} {narrow}");
        }
        for (wide, narrow) in [("a", "**"), ("a.*", "a.**"), ("a.b", "a"), ("x*", "*"), ("a", "a b")] {
            assert!(!covers(wide, narrow), "{wide} {narrow}");
        }
    }

    #[test]
    fn what_goes_over_dots_does_so_from_within_a_part() {
        for (pattern, star, expected) in [
            ("*", "*", "**"),
            ("kube.*", "*", "kube.**"),
            ("*.log", "*", "**.log"),
            ("*web*", "*", "**.*web*.**"),
            ("kube.*_default_*", "*", "kube.**.*_default_*.**"),
            ("a*b", "*", "a*b a*.**.*b"),
            ("docker.**elasticsearch", "**", "docker.**.*elasticsearch"),
            ("a.*.**", "**", "a.*.**"),
            ("**", "**", "**"),
            ("{a,b}.**", "**", "{a,b}.**"),
        ] {
            assert_eq!(over_dots(pattern, star), expected, "{pattern}");
        }
        let pods: Pattern = over_dots("kube.*_default_*", "*").parse().expect("a pattern");
        assert!(pods.matches("kube.var.log.a.b_default_c.log") && !pods.matches("kube.var.log.a.b_other_c"));
    }

    #[test]
    fn patterns_that_share_a_tag_overlap() {
        assert!(overlaps("a.**", "**.z"));
        assert!(overlaps("a.*", "*.b"));
        assert!(!overlaps("a.**", "b.**"));
        assert!(!overlaps("a.b", "a"));
    }
}
