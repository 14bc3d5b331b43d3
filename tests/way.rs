//! The way to the target: a name that is not known for a while, and a certificate that has expired.

use std::fs;

use libtest_mimic::Trial;
use tempfile::TempDir;

use crate::common::certificates::Certificates;
use crate::common::daemon::{Forebay, Setup};
use crate::common::health::{until_ready, until_unready};
use crate::common::load::{self, numbers};
use crate::common::names::Names;
use crate::common::parts::Part;
use crate::common::sequence::assert_every_one_once;
use crate::common::story_with;
use crate::common::target::Target;
use crate::common::tls_front::TlsFront;

/// The target's name.
const NAME: &str = "elasticsearch.forebay.test";

/// Both end by themselves: the daemon is not started again.
pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story_with(
            &[Part::Mounts],
            "way::a_name_that_is_gone_and_comes_back_is_told_of_and_costs_nothing",
            name_gone,
        ),
        story_with(
            &[Part::Program("openssl")],
            "way::a_certificate_that_has_expired_and_is_renewed_is_told_of_and_costs_nothing",
            certificate_expired,
        ),
    ]
}

async fn name_gone() {
    let mut target = Target::start().await;
    let names = Names::serve(NAME).await;
    names.gone(true);
    let folder = TempDir::new().expect("a temporary folder");
    let file = folder.path().join("resolv.conf");
    fs::write(&file, names.resolv_conf()).expect("a file");
    let tables = table(&format!("http://{NAME}:{}", target.address().port()));
    let daemon = Forebay::start(Setup {
        mounts: Some(format!("mount --bind {} /etc/resolv.conf", file.display())),
        environment: vec![("NO_PROXY".into(), "*".into())],
        ..Setup::tables(tables)
    })
    .await;
    load::send(daemon.forward, "name", 0..300).await;
    until_unready(&daemon, "target", "the host name cannot be resolved").await;
    names.gone(false);
    everything_once(&daemon, &target, 300).await;

    // A connection that is open needs no name, and an address is remembered for its second.
    names.gone(true);
    target.stop().await;
    load::send(daemon.forward, "name", 300..600).await;
    until_unready(&daemon, "target", "the host name cannot be resolved").await;
    target.restart().await;
    names.gone(false);
    everything_once(&daemon, &target, 600).await;
    assert!(names.answered() >= 2, "the name was asked for anew");
}

async fn certificate_expired() {
    let mut target = Target::start().await;
    let certificates = Certificates::make();
    certificates.sign("expired", -1);
    certificates.sign("renewed", 2);
    let front = TlsFront::of(target.address(), &certificates, "node").await;
    let authority = format!("ca_file = \"{}\"\n", certificates.path("ca.crt").display());
    let daemon = Forebay::start(Setup::tables(table(&front.url()) + &authority)).await;
    load::send(daemon.forward, "certificate", 0..300).await;
    everything_once(&daemon, &target, 300).await;

    // A connection that is open is not looked at again: it ends with the target's next start.
    front.show(&certificates, "expired");
    target.restart().await;
    load::send(daemon.forward, "certificate", 300..600).await;
    until_unready(&daemon, "target", "TLS failed").await;
    until_unready(&daemon, "target", "xpired").await;
    front.show(&certificates, "renewed");
    everything_once(&daemon, &target, 600).await;
}

fn table(url: &str) -> String {
    format!("[elasticsearch]\nhosts = [\"{url}\"]\nretry_max = \"300ms\"\n")
}

async fn everything_once(daemon: &Forebay, target: &Target, events: u64) {
    let metrics = daemon.until_drained().await;
    assert_eq!(metrics.sum("forebay_events_dropped_total"), 0.0);
    let documents = target.documents();
    assert_every_one_once(0..events, numbers(documents.values().map(|stored| &stored.document)));
    until_ready(daemon).await;
}
