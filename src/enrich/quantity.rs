//! Durations and sizes as programs print them: `12.7ms`, `1h30m`, `3 seconds`, `1.5MiB`, `512 kB`.
//!
//! A bare number has the unit that its field's name ends with (`took_ms`); without one it counts seconds, the base unit, and
//! ECS's own `event.duration` nanoseconds. A bare size counts bytes.

/// Units of time in nanoseconds.
const TIMES: [(&[&str], f64); 7] = [
    (&["ns", "nanos", "nanoseconds"], 1.0),
    (&["us", "µs", "μs", "micros", "microseconds"], 1e3),
    (&["ms", "msec", "millis", "milliseconds"], 1e6),
    (&["s", "sec", "secs", "second", "seconds"], 1e9),
    (&["m", "min", "mins", "minute", "minutes"], 6e10),
    (&["h", "hr", "hour", "hours"], 3.6e12),
    (&["d", "day", "days"], 8.64e13),
];

/// Units of size in bytes. A letter alone counts in powers of 1024, as `du -h` and the JVM have it.
const SIZES: [(&[&str], f64); 10] = [
    (&["B", "byte", "bytes"], 1.0),
    (&["kB"], 1e3),
    (&["MB"], 1e6),
    (&["GB"], 1e9),
    (&["TB"], 1e12),
    (&["KiB", "Ki", "K"], 1024.0),
    (&["MiB", "Mi", "M"], 1_048_576.0),
    (&["GiB", "Gi", "G"], 1_073_741_824.0),
    (&["TiB", "Ti", "T"], 1_099_511_627_776.0),
    (&["PiB", "Pi", "P"], 1_125_899_906_842_624.0),
];

/// Nanoseconds of a text such as `1.5ms` or `1h30m`; none where a part of it is something else, or has no unit.
pub(crate) fn nanoseconds(text: &[u8]) -> Option<f64> {
    let (negative, mut rest) = match text.trim_ascii() {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let mut sum = 0.0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (number, unit, after) = part(rest)?;
        sum += number * factor(&TIMES, |name| name.as_bytes() == unit)?;
        rest = after.trim_ascii_start();
    }
    Some(if negative { -sum } else { sum })
}

/// Bytes of a text such as `1.5MiB`; of a bare number, itself.
pub(crate) fn bytes(text: &[u8]) -> Option<f64> {
    let (number, unit, rest) = part(text.trim_ascii())?;
    let factor = match unit {
        b"" => 1.0,
        unit => factor(&SIZES, |name| name.as_bytes().eq_ignore_ascii_case(unit))?,
    };
    rest.is_empty().then_some(number * factor)
}

fn factor(units: &[(&[&str], f64)], is_it: impl Fn(&str) -> bool) -> Option<f64> {
    units.iter().find(|(names, _)| names.iter().any(|name| is_it(name))).map(|(_, factor)| *factor)
}

/// A number, its unit, and what follows.
fn part(text: &[u8]) -> Option<(f64, &[u8], &[u8])> {
    let is_digit = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    let (number, rest) = text.split_at_checked(text.iter().take_while(|byte| is_digit(byte)).count())?;
    let rest = rest.trim_ascii_start();
    let is_unit = |byte: &u8| byte.is_ascii_alphabetic() || !byte.is_ascii();
    let (unit, rest) = rest.split_at_checked(rest.iter().take_while(|byte| is_unit(byte)).count())?;
    let number: f64 = str::from_utf8(number).ok()?.parse().ok()?;
    number.is_finite().then_some((number, unit, rest))
}

/// Nanoseconds in the unit that bare numbers of the field `name` have.
pub(crate) fn unit_of_name(name: &str) -> f64 {
    if name == "event.duration" {
        return 1.0;
    }
    let (last, has_more) = match name.rsplit_once(['_', '.', '-']) {
        Some((_, last)) => (last, true),
        None => (name, false),
    };
    let named = TIMES.iter().find(|(names, _)| has_more && names.contains(&last));
    named.map_or(1e9, |(_, factor)| *factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_programs_print_them() {
        for (text, expected) in [
            ("12.7ms", Some(12.7e6)),
            ("1h30m", Some(5.4e12)),
            ("1m2.5s", Some(62.5e9)),
            ("250µs", Some(250e3)),
            (" 3 seconds ", Some(3e9)),
            ("-1.5s", Some(-1.5e9)),
            ("2d", Some(1.728e14)),
            ("1 h 5 min", Some(3.9e12)),
        ] {
            assert_eq!(nanoseconds(text.as_bytes()), expected, "{text}");
        }
        for text in ["", "5", "ms", "1.2.3s", "5 parsecs", "5s!", "1e3s", "-", "\u{ff15}s"] {
            assert_eq!(nanoseconds(text.as_bytes()), None, "{text}");
        }
        assert_eq!(nanoseconds(b"5\xffs"), None);
    }

    #[test]
    fn sizes_are_read_as_programs_print_them() {
        for (text, expected) in [
            ("1.5MiB", Some(1_572_864.0)),
            ("512 kB", Some(512e3)),
            ("512Mi", Some(536_870_912.0)),
            ("512kb", Some(512e3)),
            ("2K", Some(2048.0)),
            ("10 bytes", Some(10.0)),
            ("7", Some(7.0)),
            ("3GB", Some(3e9)),
        ] {
            assert_eq!(bytes(text.as_bytes()), expected, "{text}");
        }
        for text in ["", "MiB", "-1B", "1 parsec", "1MiB 2", "1.2.3B"] {
            assert_eq!(bytes(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_bare_numbers_unit_stands_in_its_fields_name() {
        for (name, unit) in [
            ("took_ms", 1e6),
            ("http.duration.us", 1e3),
            ("elapsed-seconds", 1e9),
            ("event.duration", 1.0),
            ("took", 1e9),
            ("ms", 1e9),
            ("items", 1e9),
        ] {
            assert_eq!(unit_of_name(name), unit, "{name}");
        }
    }
}
