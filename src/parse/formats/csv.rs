//! Values parted by commas or by tabs, without names: they become `column1`, `column2` and so on.
//!
//! Commas as RFC 4180 has them: a value in double quotes may have commas in it, and a quote of its own twice. Tabs have no quotes.
//! A value stays a text, and an empty one is left out: what a column is only its owner knows, who gives it a name and a type in a
//! format of one's own. A line of a single value is none. <https://www.rfc-editor.org/rfc/rfc4180>

use bumpalo::collections::String;

use crate::event::Value;
use crate::parse::sink::Sink;
use crate::parse::token::{Read, misfit};

/// More columns than an index has fields by far.
const MAX_COLUMNS: usize = 10_000;

/// Commas.
pub(in crate::parse) fn read_csv<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    read(
        line,
        sink,
        b',',
        |text, sink| if text.starts_with('"') { quoted(text, sink) } else { bare(text, b',') },
    )
}

/// Tabs.
pub(in crate::parse) fn read_tsv<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    read(line, sink, b'\t', |text, _| bare(text, b'\t'))
}

fn read<'a>(
    line: &'a str,
    sink: &mut Sink<'_, 'a>,
    separator: u8,
    value: impl Fn(&'a str, &Sink<'_, 'a>) -> Read<'a>,
) -> Option<()> {
    let mut rest = line;
    for column in 1..=MAX_COLUMNS {
        let (after, text) = value(rest, sink).ok()?;
        if !text.is_empty() {
            let name = bumpalo::format!(in sink.arena, "column{}", column).into_bump_str();
            sink.named(name, Value::Text(text.as_bytes()));
        }
        if after.is_empty() {
            return (column > 1).then_some(());
        }
        rest = after.strip_prefix(char::from(separator))?;
    }
    None
}

fn bare(text: &str, separator: u8) -> Read<'_> {
    let end = memchr::memchr(separator, text.as_bytes()).unwrap_or(text.len());
    text.split_at_checked(end).map_or_else(misfit, |(value, rest)| Ok((rest, value)))
}

/// A value in quotes; what follows the closing one.
fn quoted<'a>(text: &'a str, sink: &Sink<'_, 'a>) -> Read<'a> {
    let inside = text.get(1..).unwrap_or_default();
    let (mut end, mut has_quotes) = (0, false);
    while let Some(at) = inside.as_bytes().get(end..).and_then(|rest| memchr::memchr(b'"', rest)) {
        end += at;
        if inside.as_bytes().get(end + 1) != Some(&b'"') {
            let (Some(value), Some(rest)) = (inside.get(..end), inside.get(end + 1..)) else { break };
            return Ok((rest, if has_quotes { single(value, sink) } else { value }));
        }
        (end, has_quotes) = (end + 2, true);
    }
    misfit()
}

/// Two quotes are one.
fn single<'a>(value: &'a str, sink: &Sink<'_, 'a>) -> &'a str {
    let mut text = String::with_capacity_in(value.len(), sink.arena);
    for part in value.split_inclusive("\"\"") {
        text.push_str(part.strip_suffix('"').filter(|_| part.ends_with("\"\"")).unwrap_or(part));
    }
    text.into_bump_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Fields, Timestamp};
    use crate::parse::Style;
    use bumpalo::Bump;

    fn columns(
        line: &str,
        read: impl for<'a> Fn(&'a str, &mut Sink<'_, 'a>) -> Option<()>,
    ) -> Option<std::string::String> {
        let (arena, style, mut fields) = (Bump::new(), Style::default(), Fields::default());
        let mut sink = Sink::new(&mut fields, &style, Timestamp::now(), &arena);
        read(line, &mut sink)?;
        let shown = fields.iter().map(|field| {
            let text = field.value.as_text().map(std::string::String::from_utf8_lossy).unwrap_or_default();
            format!("{}={text}", field.name)
        });
        Some(shown.collect::<Vec<_>>().join("|"))
    }

    #[test]
    fn values_get_the_names_of_their_columns() {
        for (line, shown) in [
            ("a,b", "column1=a|column2=b"),
            ("a,,c,", "column1=a|column3=c"),
            (r#""a, ""b""",c"#, r#"column1=a, "b"|column2=c"#),
            (r#"a"b,"""""#, r#"column1=a"b|column2=""#),
            (r#""""",1"#, r#"column1="|column2=1"#),
        ] {
            assert_eq!(columns(line, |line, sink| read_csv(line, sink)).as_deref(), Some(shown), "{line}");
        }
        assert_eq!(
            columns("a\t\"b\tc", |line, sink| read_tsv(line, sink)).as_deref(),
            Some("column1=a|column2=\"b|column3=c")
        );
    }

    #[test]
    fn what_is_no_row_is_none() {
        for line in ["", "one", "\"a,b", "\"a\"b,c", "\"a\""] {
            assert_eq!(columns(line, |line, sink| read_csv(line, sink)), None, "{line}");
        }
        assert_eq!(columns(&",".repeat(MAX_COLUMNS), |line, sink| read_csv(line, sink)), None);
    }
}
