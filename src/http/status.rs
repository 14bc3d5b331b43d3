//! From numbers to a verdict: whether the daemon is ready to take what comes, check by check.
//!
//! Ready means that nothing stands in the way of the next event: the target takes documents, and disk space, the
//! buffer's disk share and its memory share are each used to less than 90 %, more is free than must stay free, spilling works, and the books balance.
//! Everything here is a pure function.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

/// The daemon's numbers at one moment.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Since the start.
    pub uptime: Duration,
    /// How the target is.
    pub target: TargetReading,
    /// What the buffer holds.
    pub buffer: BufferReading,
    /// The file system under the data directory; `None` where it could not be asked.
    pub disk: Option<DiskReading>,
    /// Why nothing can be spilled now; `None` where it can.
    pub disk_fault: Option<String>,
    /// What the books were off by when nothing moved.
    pub books_off: i64,
    /// Lines that were read, by their format.
    pub formats: BTreeMap<&'static str, u64>,
    /// Files that are followed, by table.
    pub tails: Vec<TailReading>,
}

/// The followed files of one table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TailReading {
    /// Their patterns.
    pub paths: String,
    /// How many they are.
    pub files: i64,
    /// Files that are not followed, since they hold no lines.
    pub passed_over_files: i64,
    /// Bytes that are there and were not read.
    pub behind_bytes: i64,
}

/// How the target is.
#[derive(Clone, Debug)]
pub struct TargetReading {
    /// Whether it takes documents.
    pub ok: bool,
    /// That in a sentence, without a secret.
    pub detail: String,
}

/// What the buffer holds, and what it may.
#[derive(Clone, Copy, Debug, Default)]
pub struct BufferReading {
    /// Documents, in memory and on disk.
    pub events: u64,
    /// Bytes in memory.
    pub memory_bytes: u64,
    /// Bytes that memory may hold.
    pub memory_limit: u64,
    /// Bytes on disk.
    pub disk_bytes: u64,
    /// Bytes that may be on disk.
    pub disk_limit: u64,
    /// How long the oldest document has waited; `None` where there is none.
    pub oldest: Option<Duration>,
}

/// A file system's space.
#[derive(Clone, Copy, Debug)]
pub struct DiskReading {
    /// Bytes that can still be written.
    pub free: u64,
    /// Bytes in all.
    pub total: u64,
    /// Bytes that the daemon leaves free.
    pub must_stay_free: u64,
}

/// Where a page gets its numbers.
pub type Source = Arc<dyn Fn() -> Reading + Send + Sync>;

/// What the health pages say.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Status {
    /// Whether every check is.
    pub ready: bool,
    /// Of the daemon.
    pub version: &'static str,
    /// Since the start, in whole seconds.
    pub uptime_seconds: u64,
    /// One by one.
    pub checks: Vec<Check>,
    /// Lines that were read, by the format that `auto` found or that was named; no check.
    pub formats: BTreeMap<&'static str, u64>,
    /// Files that are followed, by table.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tails: Vec<TailReading>,
}

/// One thing that readiness takes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// Whether it is as it should be.
    pub ok: bool,
    /// The numbers, for people.
    pub detail: String,
}

/// Use from which on a check fails.
const PERCENT: u64 = 90;

impl Status {
    /// The verdict on `reading`.
    pub fn of(reading: &Reading) -> Self {
        let target = &reading.target;
        let checks = vec![
            Check { name: "target", ok: target.ok, detail: target.detail.clone() },
            buffer(&reading.buffer),
            disk(reading.disk, reading.disk_fault.as_deref()),
            memory(&reading.buffer),
            books(reading.books_off),
        ];
        Self {
            ready: checks.iter().all(|check| check.ok),
            version: env!("CARGO_PKG_VERSION"),
            uptime_seconds: reading.uptime.as_secs(),
            checks,
            formats: reading.formats.clone(),
            tails: reading.tails.clone(),
        }
    }
}

fn buffer(buffer: &BufferReading) -> Check {
    let oldest = buffer.oldest.unwrap_or_default().as_secs_f64();
    let used = used(buffer.disk_bytes, buffer.disk_limit);
    let detail = format!("{} events wait, the oldest for {oldest:.1} s; on disk {used}", buffer.events);
    Check { name: "buffer", ok: is_below(buffer.disk_bytes, buffer.disk_limit), detail }
}

fn disk(disk: Option<DiskReading>, fault: Option<&str>) -> Check {
    if let Some(fault) = fault {
        return Check { name: "disk", ok: false, detail: format!("nothing can be spilled: {fault}") };
    }
    let Some(DiskReading { free, total, must_stay_free }) = disk else {
        return Check { name: "disk", ok: false, detail: "the file system could not be asked".into() };
    };
    if free <= must_stay_free {
        let (free, rest) = (mebibytes(free), mebibytes(must_stay_free));
        let detail =
            format!("nothing can be spilled: {free} are free, and {rest} must stay free (buffer.min_free)");
        return Check { name: "disk", ok: false, detail };
    }
    let (taken, limit) = (total.saturating_sub(free), total.saturating_sub(must_stay_free));
    Check { name: "disk", ok: is_below(taken, limit), detail: used(taken, limit) }
}

fn memory(buffer: &BufferReading) -> Check {
    let (bytes, limit) = (buffer.memory_bytes, buffer.memory_limit);
    Check { name: "memory", ok: is_below(bytes, limit), detail: used(bytes, limit) }
}

fn books(off: i64) -> Check {
    let detail = match off {
        0 => "every event is accounted for".to_owned(),
        off => format!("off by {off} events when nothing moved: a bug, please report it with the log"),
    };
    Check { name: "books", ok: off == 0, detail }
}

fn is_below(used: u64, limit: u64) -> bool {
    u128::from(used) * 100 < u128::from(limit) * u128::from(PERCENT)
}

fn used(bytes: u64, limit: u64) -> String {
    let percent = (u128::from(bytes) * 100).checked_div(u128::from(limit)).unwrap_or(100);
    format!("{} of {} used ({percent} %, ready below {PERCENT} %)", mebibytes(bytes), mebibytes(limit))
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A daemon with which all is well.
    pub(in crate::http) fn well() -> Reading {
        Reading {
            uptime: Duration::from_millis(61_500),
            target: TargetReading { ok: true, detail: "http://127.0.0.1:9200 takes documents".into() },
            buffer: BufferReading {
                events: 3,
                memory_bytes: 10,
                memory_limit: 1000,
                disk_bytes: 20,
                disk_limit: 1000,
                oldest: Some(Duration::from_millis(2500)),
            },
            disk: Some(DiskReading { free: 500, total: 1000, must_stay_free: 0 }),
            disk_fault: None,
            books_off: 0,
            formats: BTreeMap::from([("json", 7)]),
            tails: Vec::new(),
        }
    }

    fn failing(reading: &Reading) -> Vec<&'static str> {
        let status = Status::of(reading);
        let failing: Vec<_> =
            status.checks.iter().filter(|check| !check.ok).map(|check| check.name).collect();
        assert_eq!(status.ready, failing.is_empty());
        failing
    }

    #[test]
    fn a_daemon_with_which_all_is_well_is_ready() {
        assert_eq!(failing(&well()), [""; 0]);
        assert_eq!(Status::of(&well()).uptime_seconds, 61);
        assert_eq!(Status::of(&well()).formats, BTreeMap::from([("json", 7)]));
    }

    #[test]
    fn a_target_that_takes_nothing_is_told_in_its_own_words() {
        let mut reading = well();
        reading.target = TargetReading { ok: false, detail: "connection refused".into() };
        assert_eq!(failing(&reading), ["target"]);
        assert_eq!(Status::of(&reading).checks[0].detail, "connection refused");
    }

    #[test]
    fn each_share_fails_at_nine_tenths_and_not_before() {
        for (used, ok) in [(899, true), (900, false), (1000, false), (2000, false)] {
            let (mut buffer, mut memory, mut disk) = (well(), well(), well());
            buffer.buffer.disk_bytes = used;
            memory.buffer.memory_bytes = used;
            disk.disk =
                Some(DiskReading { free: 1000_u64.saturating_sub(used), total: 1000, must_stay_free: 0 });
            for (reading, name) in [(buffer, "buffer"), (memory, "memory"), (disk, "disk")] {
                let expected = if ok { vec![] } else { vec![name] };
                assert_eq!(failing(&reading), expected, "{used} of 1000 in {name}");
            }
        }
    }

    #[test]
    fn a_disk_that_takes_nothing_and_books_that_are_off_are_told_with_the_reason() {
        let mut reading = well();
        reading.disk_fault = Some("no space left on device".into());
        reading.books_off = -3;
        assert_eq!(failing(&reading), ["disk", "books"]);
        let details: Vec<_> = Status::of(&reading).checks.into_iter().map(|check| check.detail).collect();
        assert!(details.iter().any(|detail| detail.contains("no space left")), "{details:?}");
        assert!(details.iter().any(|detail| detail.contains("off by -3")), "{details:?}");
    }

    #[test]
    fn a_disk_with_less_free_than_must_stay_free_is_not_ready_before_anything_was_to_be_spilled() {
        let mut reading = well();
        for (must_stay_free, ok) in [(0, true), (400, true), (450, false), (500, false), (2000, false)] {
            reading.disk = Some(DiskReading { free: 500, total: 1000, must_stay_free });
            assert_eq!(failing(&reading).is_empty(), ok, "{must_stay_free}");
        }
        let told = Status::of(&reading).checks.into_iter().find(|check| !check.ok).expect("a fault");
        assert!(told.detail.contains("buffer.min_free"), "{told:?}");
    }

    #[test]
    fn what_cannot_be_known_is_not_ready() {
        let mut reading = well();
        reading.disk = None;
        assert_eq!(failing(&reading), ["disk"]);
        reading.disk = Some(DiskReading { free: 0, total: 0, must_stay_free: 0 });
        assert_eq!(failing(&reading), ["disk"]);
    }

    #[test]
    fn sizes_near_the_end_of_the_range_do_not_overflow() {
        let mut reading = well();
        reading.disk = Some(DiskReading { free: 0, total: u64::MAX, must_stay_free: 0 });
        assert_eq!(failing(&reading), ["disk"]);
    }
}
