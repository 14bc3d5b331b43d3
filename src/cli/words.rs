//! Numbers and sizes as people read them.

/// `1 document`, `2 documents`.
pub(super) fn count(number: u64, what: &str) -> String {
    let plural = match what.strip_suffix("ch") {
        _ if number == 1 => what.to_owned(),
        Some(stem) => format!("{stem}ches"),
        None => format!("{what}s"),
    };
    format!("{number} {plural}")
}

/// A size as people read it.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    // why: a size that is read by people need not be exact beyond three digits.
    #[allow(clippy::cast_precision_loss)]
    let mut value = bytes as f64 / 1024.0;
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut unit = UNITS.iter();
    let mut name = unit.next();
    while value >= 1024.0 && unit.len() > 0 {
        value /= 1024.0;
        name = unit.next();
    }
    format!("{value:.1} {}", name.unwrap_or(&""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_counts_read_as_people_write_them() {
        let sizes = [0, 1023, 1024, 1536, 1 << 20, 5 << 40, u64::MAX].map(size);
        assert_eq!(sizes, ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "1.0 MiB", "5.0 TiB", "16777216.0 TiB"]);
        let counts = [count(1, "batch"), count(2, "batch"), count(0, "document"), count(1, "document")];
        assert_eq!(counts, ["1 batch", "2 batches", "0 documents", "1 document"]);
    }
}
