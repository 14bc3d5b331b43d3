//! Sends numbered events with poston, a logger for Rust, which waits for the acknowledgement of every chunk.

use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use poston::{Client, RecoveryMode, RecoverySettings, Settings, WorkerPool};

#[derive(serde::Serialize, Clone, Debug)]
struct Record {
    sequence: u32,
    logger: &'static str,
    nested: Nested,
}

#[derive(serde::Serialize, Clone, Debug)]
struct Nested {
    yes: bool,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [host, port, tag, count] = arguments.as_slice() else {
        eprintln!("usage: send HOST PORT TAG COUNT");
        return ExitCode::from(2);
    };
    if ["LOGGER_CA", "LOGGER_SHARED_KEY"].iter().any(|asked| std::env::var_os(asked).is_some()) {
        eprintln!("poston knows neither TLS nor a shared key");
        return ExitCode::from(2);
    }
    let pause = std::env::var("LOGGER_PAUSE_MS").ok().and_then(|pause| pause.parse().ok()).unwrap_or(0);
    let settings = Settings {
        flush_period: Duration::from_millis(10),
        recovery_settings: RecoverySettings::new(RecoveryMode::Enqueue),
        ..Settings::default()
    };
    let pool = WorkerPool::with_settings(&format!("{host}:{port}"), &settings).expect("a server that listens");
    for number in 0..count.parse().expect("a number of events") {
        let at = Duration::new(1_700_000_000 + u64::from(number), 123_456_000 + number);
        let record = Record { sequence: number, logger: "rust", nested: Nested { yes: true } };
        pool.send(tag.clone(), &record, SystemTime::UNIX_EPOCH + at).expect("a worker that runs");
        std::thread::sleep(Duration::from_millis(pause));
    }
    // Ends once everything is acknowledged or its retries are spent; what was not shows as missing documents.
    pool.terminate().expect("a worker that ends");
    ExitCode::SUCCESS
}
