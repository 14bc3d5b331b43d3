//! Certificates and keys that change while the daemon runs.
//!
//! The files are read again every few seconds, and compared by what is in them. Notifications of the file system would
//! be quicker and are not to be relied upon: Kubernetes swaps a link two directories up, certbot a link to another
//! directory, and network file systems tell nothing; names, times and inodes each miss one of these, content none.
//!
//! A change is judged when two looks in a row have found the same. Programs write certificate and key one after the
//! other: what lies between the two is neither taken nor complained about. What is judged bad is said once, and what was
//! taken before goes on being shown.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::Tls;
use super::fault::TlsFault;
use super::material::Material;
use super::options::{ServerCertificate, TlsOptions};
use super::setup::{self, Server};
use super::validity::{Standing, Validity};
use crate::metrics::{Metrics, kind, listener};

/// The time between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// What keeps one listener's certificates new.
pub(in crate::input::forward) struct Renewal {
    options: TlsOptions,
    pair: ServerCertificate,
    tls: Arc<Tls>,
    settling: Settling,
    validity: Validity,
    /// What was said last of how the present lies to `validity`.
    said: Standing,
}

impl Renewal {
    /// What the files make as they are now; `None` where `options` ask for no TLS.
    pub(in crate::input::forward) fn open(options: &TlsOptions) -> Result<Option<Self>, TlsFault> {
        let Some(pair) = options.certificate.clone() else { return Ok(None) };
        let material = Material::read(&pair, options.client_ca_file.as_deref());
        let Server { config, validity } = setup::server(options, &pair, &material)?;
        let (options, tls, settling) = (options.clone(), Tls::new(config), Settling::new(material));
        Ok(Some(Self { options, pair, tls, settling, validity, said: Standing::Valid }))
    }

    /// What is renewed.
    pub(in crate::input::forward) fn tls(&self) -> Arc<Tls> {
        Arc::clone(&self.tls)
    }

    /// Keeps it new until `stop`. `address` is the listener's.
    pub(in crate::input::forward) async fn keep(
        mut self,
        address: String,
        metrics: Arc<Metrics>,
        stop: CancellationToken,
    ) {
        self.tell(&address, &metrics);
        while stop.run_until_cancelled(sleep(LOOK_EVERY)).await.is_some() {
            let Some(looked) = stop.run_until_cancelled(self.look()).await else { return };
            if let Some(material) = looked {
                self.judge(material, &address, &metrics);
            }
            self.tell(&address, &metrics);
        }
    }

    /// A look at the files, away from the threads that serve connections: a network file system may let it wait.
    async fn look(&self) -> Option<Material> {
        let (pair, client_ca) = (self.pair.clone(), self.options.client_ca_file.clone());
        spawn_blocking(move || Material::read(&pair, client_ca.as_deref())).await.ok()
    }

    fn judge(&mut self, material: Material, address: &str, metrics: &Metrics) {
        let Some(material) = self.settling.look(material) else { return };
        match setup::server(&self.options, &self.pair, material) {
            Ok(Server { config, validity }) => {
                self.tls.replace(config);
                self.validity = validity;
                self.said = Standing::Valid;
                kind(&metrics.tls_reloads, "taken").inc();
                let certificate = self.certificate().display();
                tracing::info!(address, %certificate, not_after = %validity.not_after, "certificates were renewed");
            }
            Err(error) => {
                kind(&metrics.tls_reloads, "refused").inc();
                tracing::warn!(address, %error, "changed certificates are not taken, the old ones go on");
            }
        }
    }

    /// Shows until when the certificate is valid, and says, once, when it is not.
    fn tell(&mut self, address: &str, metrics: &Metrics) {
        listener(&metrics.tls_not_after, address).set(self.validity.not_after.as_second());
        let standing = self.validity.at(Timestamp::now());
        if standing == self.said {
            return;
        }
        self.said = standing;
        let Validity { not_before, not_after } = self.validity;
        let certificate = self.certificate().display();
        match standing {
            Standing::Valid => tracing::info!(address, %certificate, "the certificate is valid now"),
            wrong => tracing::error!(
                address, %certificate, %not_before, %not_after,
                "the certificate {wrong}: senders will refuse it; a new one is taken as soon as the file holds it"
            ),
        }
    }

    fn certificate(&self) -> &Path {
        &self.pair.certificate
    }
}

/// Tells a change that is over from one that is under way.
struct Settling {
    judged: Material,
    /// Something else than `judged`, as the last look found it.
    seen: Option<Material>,
}

impl Settling {
    fn new(judged: Material) -> Self {
        Self { judged, seen: None }
    }

    /// What is to be judged now, if anything.
    fn look(&mut self, now: Material) -> Option<&Material> {
        if now == self.judged {
            self.seen = None;
            return None;
        }
        if self.seen.as_ref() != Some(&now) {
            self.seen = Some(now);
            return None;
        }
        self.seen = None;
        self.judged = now;
        Some(&self.judged)
    }
}

#[cfg(test)]
mod unit {
    use super::*;

    fn material(certificate: &str, key: &str) -> Material {
        let content = |text: &str| {
            if text.is_empty() { Err("no such file".into()) } else { Ok(text.as_bytes().to_vec()) }
        };
        Material { certificate: content(certificate), key: content(key), client_ca: None }
    }

    #[test]
    fn a_change_is_judged_once_when_two_looks_have_found_it() {
        let mut settling = Settling::new(material("old", "old"));
        assert!(settling.look(material("old", "old")).is_none());
        assert!(settling.look(material("new", "old")).is_none(), "the key is still to come");
        assert!(settling.look(material("new", "new")).is_none());
        assert!(settling.look(material("new", "new")) == Some(&material("new", "new")));
        assert!(settling.look(material("new", "new")).is_none(), "it has been judged");
    }

    #[test]
    fn a_file_that_is_away_for_one_look_is_no_change() {
        let mut settling = Settling::new(material("old", "old"));
        assert!(settling.look(material("old", "")).is_none());
        assert!(settling.look(material("old", "old")).is_none());
        assert!(settling.look(material("old", "")).is_none());
        assert!(settling.look(material("old", "")).is_some(), "it stays away");
    }
}
