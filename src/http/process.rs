//! What the kernel says of this process. Where there is no `/proc`, there are no such numbers, and no page fails.

use std::fs;

/// The process's use of the machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Process {
    pub(super) resident_bytes: u64,
    pub(super) cpu_seconds: f64,
    pub(super) open_fds: u64,
}

/// Ticks of a second in `/proc/self/stat`: fixed by Linux's interface on every architecture that Rust builds for.
const TICKS: f64 = 100.0;

impl Process {
    /// The numbers of now.
    pub(super) fn read() -> Option<Self> {
        let open_fds = fs::read_dir("/proc/self/fd").ok()?.count();
        Some(Self {
            resident_bytes: resident_bytes(&fs::read_to_string("/proc/self/status").ok()?)?,
            cpu_seconds: cpu_seconds(&fs::read_to_string("/proc/self/stat").ok()?)?,
            // One of them is the directory's own.
            open_fds: (open_fds as u64).saturating_sub(1),
        })
    }
}

fn resident_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    Some(kibibytes << 10)
}

/// User and system time. The fields are counted after the command's name, which may hold blanks and brackets.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some((user + system) as f64 / TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_found_behind_a_name_with_brackets() {
        let stat = "7 (a) b) (c) S 1 7 7 0 -1 4194304 200 0 0 0 150 50 0 0 20 0 8 0 100 0 0";
        assert_eq!(cpu_seconds(stat), Some(2.0));
    }

    #[test]
    fn resident_memory_is_in_bytes() {
        assert_eq!(resident_bytes("VmPeak:\t 9 kB\nVmRSS:\t    12 kB\n"), Some(12_288));
        assert_eq!(resident_bytes("VmPeak:\t 9 kB\n"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_open_file_is_counted() {
        let files: Vec<_> = (0..100).map(|_| fs::File::open("/dev/null").expect("/dev/null")).collect();
        let process = Process::read().expect("numbers on Linux");
        assert!(process.open_fds > files.len() as u64, "{process:?}");
        assert!(process.resident_bytes > 1 << 20, "{process:?}");
    }
}
