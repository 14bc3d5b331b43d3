//! Sizes and secrets, as options hold them. Leaf module: it knows no stage.

use std::fmt;

/// A number of bytes, written `"64MiB"`, `"8GiB"`, `"512KiB"`, `"10MB"` or as a bare number in configuration.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

impl ByteSize {
    /// `n` KiB.
    pub const fn kib(n: u64) -> Self {
        Self(n << 10)
    }

    /// `n` MiB.
    pub const fn mib(n: u64) -> Self {
        Self(n << 20)
    }

    /// `n` GiB.
    pub const fn gib(n: u64) -> Self {
        Self(n << 30)
    }

    /// The size as a length in memory; saturates where `usize` is narrower.
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// Binary units, largest first, with their decimal cousins, as [`ByteSize`] reads them.
const UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
    ("B", 1),
];

impl std::str::FromStr for ByteSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (digits, unit) = text.split_at(split);
        let wrong = || format!("`{text}` is not a size such as \"64MiB\", \"8GiB\" or 1048576");
        let number: u64 = digits.parse().map_err(|_| wrong())?;
        let unit = unit.trim();
        let factor = match unit {
            "" => 1,
            _ => UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).ok_or_else(wrong)?.1,
        };
        number.checked_mul(factor).map(Self).ok_or_else(|| format!("`{text}` does not fit in 64 bits"))
    }
}

impl fmt::Display for ByteSize {
    /// The largest binary unit that divides the size exactly, so that what is printed reads back as the same size.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = UNITS[..4].iter().find(|(_, factor)| self.0 != 0 && self.0.is_multiple_of(*factor));
        match unit {
            Some((name, factor)) => write!(f, "{}{name}", self.0 / factor),
            None => write!(f, "{}B", self.0),
        }
    }
}

impl fmt::Debug for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Units of time in nanoseconds, largest first.
pub(crate) const TIMES: [(&str, u64); 6] = [
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// So many nanoseconds in the largest unit that divides them exactly, so that what is printed reads back as the same.
pub(crate) fn print_nanoseconds(nanoseconds: u128) -> String {
    let divides =
        |(_, factor): &&(&str, u64)| nanoseconds != 0 && nanoseconds.is_multiple_of((*factor).into());
    let (unit, factor) = TIMES.iter().find(divides).unwrap_or(&TIMES[2]);
    format!("{}{unit}", nanoseconds / u128::from(*factor))
}

/// A password, key or token. It cannot be printed by accident: `Debug` shows stars, and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes the text into custody.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_printed_as_it_can_be_read_again() {
        for text in ["64MiB", "8GiB", "512KiB", "1000B", "3B", "0B"] {
            let size: ByteSize = text.parse().expect(text);
            assert_eq!(size.to_string(), text);
        }
        assert_eq!("10MB".parse(), Ok(ByteSize(10_000_000)));
        assert_eq!("7".parse(), Ok(ByteSize(7)));
    }

    #[test]
    fn a_size_that_makes_no_sense_is_refused_by_name() {
        for text in ["", "MiB", "-1", "12 parsecs", "99999999999TiB"] {
            let fault = text.parse::<ByteSize>().expect_err(text);
            assert!(fault.contains(text), "{fault}");
        }
    }

    #[test]
    fn a_secret_is_never_printed() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "***");
    }
}
