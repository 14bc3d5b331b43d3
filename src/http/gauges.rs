//! Metrics that are computed when they are asked for: the buffer's content, the books, the process.
//!
//! The books are `received + recovered - indexed - duplicate - dead_letter - dropped - buffer`. The terms are not
//! read at one instant, so that under load the difference swings around 0; at rest anything but 0 is a bug.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeGaugeValue, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use super::process::Process;
use super::status::{BufferReading, Source};
use crate::metrics::{Books, Metrics};

/// What is asked at each scrape.
pub struct Gauges {
    source: Source,
    metrics: Arc<Metrics>,
}

impl Gauges {
    /// Registers the metrics in `registry`; `source` and `metrics` are read at each scrape.
    pub fn register(registry: &mut Registry, source: Source, metrics: Arc<Metrics>) {
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        registry.register("forebay_build", "The daemon's version", Info::new(version));
        registry.register_collector(Box::new(Self { source, metrics }));
    }
}

impl fmt::Debug for Gauges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gauges").finish_non_exhaustive()
    }
}

impl Collector for Gauges {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let buffer = (self.source)().buffer;
        gauge(&mut encoder, "forebay_buffer_events", "Documents in the buffer", buffer.events)?;
        buffer_bytes(&mut encoder, &buffer)?;
        let oldest = buffer.oldest.unwrap_or_default().as_secs_f64();
        let help = "How long the oldest document in the buffer has waited";
        gauge(&mut encoder, "forebay_buffer_oldest_seconds", help, oldest)?;
        let help = "Events that came less those that are accounted for; 0 at rest";
        gauge(
            &mut encoder,
            "forebay_books_difference",
            help,
            Books::read(&self.metrics, buffer.events).difference(),
        )?;
        Process::read().map_or(Ok(()), |process| encode_process(&mut encoder, process))
    }
}

fn encode_process(encoder: &mut DescriptorEncoder<'_>, process: Process) -> fmt::Result {
    let resident = process.resident_bytes;
    gauge(encoder, "process_resident_memory_bytes", "Resident memory", resident)?;
    gauge(encoder, "process_open_fds", "Open file descriptors", process.open_fds)?;
    let cpu = ConstCounter::new(process.cpu_seconds);
    let help = "User and system CPU time";
    cpu.encode(encoder.encode_descriptor("process_cpu_seconds", help, None, MetricType::Counter)?)
}

fn gauge(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    value: impl EncodeGaugeValue + fmt::Debug,
) -> fmt::Result {
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    metric.encode_gauge(&value)
}

fn buffer_bytes(encoder: &mut DescriptorEncoder<'_>, buffer: &BufferReading) -> fmt::Result {
    let help = "Bytes in the buffer";
    let mut family = encoder.encode_descriptor("forebay_buffer_bytes", help, None, MetricType::Gauge)?;
    for (place, bytes) in [("memory", buffer.memory_bytes), ("disk", buffer.disk_bytes)] {
        ConstGauge::new(bytes).encode(family.encode_family(&[("where", place)])?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text;

    use super::super::status::tests::well;
    use super::*;
    use crate::metrics;

    fn scrape(prepare: impl Fn(&Metrics)) -> String {
        let mut registry = Registry::default();
        let counted = Metrics::new(&mut registry);
        prepare(&counted);
        Gauges::register(&mut registry, Arc::new(well), counted);
        let mut page = String::new();
        text::encode(&mut page, &registry).expect("a page");
        page
    }

    #[test]
    fn the_buffer_is_read_at_each_scrape() {
        let page = scrape(|_| {});
        for line in [
            "forebay_buffer_events 3",
            "forebay_buffer_bytes{where=\"memory\"} 10",
            "forebay_buffer_bytes{where=\"disk\"} 20",
            "forebay_buffer_oldest_seconds 2.5",
        ] {
            assert!(page.lines().any(|found| found == line), "{line} in\n{page}");
        }
        assert!(page.contains(concat!(
            "forebay_build_info{version=\"",
            env!("CARGO_PKG_VERSION"),
            "\"} 1\n"
        )));
    }

    #[test]
    fn the_books_balance_when_every_event_is_accounted_for() {
        let balanced = |metrics: &Metrics| {
            metrics.events_received.inc_by(100);
            metrics.events_recovered.inc_by(10);
            metrics.events_indexed.inc_by(90);
            metrics.events_duplicate.inc_by(5);
            metrics.events_dead_letter.inc_by(4);
            metrics::reason(&metrics.events_dropped, "limit").inc_by(6);
            metrics::reason(&metrics.events_dropped, "corrupt").inc_by(2);
        };
        assert!(scrape(balanced).contains("\nforebay_books_difference 0\n"));
        let one_lost = |metrics: &Metrics| {
            balanced(metrics);
            metrics.events_received.inc();
        };
        assert!(scrape(one_lost).contains("\nforebay_books_difference 1\n"));
        let one_too_many = |metrics: &Metrics| {
            balanced(metrics);
            metrics.events_indexed.inc();
        };
        assert!(scrape(one_too_many).contains("\nforebay_books_difference -1\n"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_process_is_on_the_page_under_the_names_that_dashboards_know() {
        let page = scrape(|_| {});
        for name in ["process_resident_memory_bytes ", "process_cpu_seconds_total ", "process_open_fds "] {
            assert!(page.lines().any(|line| line.starts_with(name)), "{name} in\n{page}");
        }
    }
}
