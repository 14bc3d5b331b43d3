//! The addresses of hosts that rules name, looked up off the path.
//!
//! Invariants: a handshake waits for the first answer about its own family of addresses only, never for a later one; a
//! look-up has a time-out; the addresses that are known stay while a name server fails, so that its failing locks nobody
//! out, and go when it says that there are none, so that a name that was taken away lets nobody in.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::config::{LookupIpStrategy, ResolverConfig};
use hickory_resolver::name_server::TokioConnectionProvider;
use hickory_resolver::proto::ProtoErrorKind;
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::{ResolveError, ResolverBuilder, TokioResolver};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::log::RateLimited;

/// How long a look-up may take: below the default `handshake_timeout`, since handshakes wait for the first one.
const LOOK_UP: Duration = Duration::from_secs(5);

/// How often a name is looked up again. The resolver answers from its cache for as long as the name's records say.
const AGAIN: Duration = Duration::from_secs(30);

/// The same after a failure, or where there is no address.
const AGAIN_AFTER_FAILURE: Duration = Duration::from_secs(5);

static NO_SERVER: RateLimited = RateLimited::every(Duration::from_secs(60));
static FAILED: RateLimited = RateLimited::every(Duration::from_secs(60));

/// A family of addresses. Each is looked up for itself: a name server that does not answer about the one says nothing
/// about the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    V4,
    V6,
}

/// What a look-up has found, nothing where there is none; or why nothing could be found out.
type Answer = Result<Vec<IpAddr>, String>;

/// Looks names up, as the system's configuration says.
#[derive(Clone)]
pub(super) struct Hosts {
    v4: Arc<TokioResolver>,
    v6: Arc<TokioResolver>,
}

/// What is known of one host; of a family nothing at all until its first look-up has ended.
#[derive(Clone, Debug, Default, PartialEq)]
struct Known {
    v4: Option<Vec<IpAddr>>,
    v6: Option<Vec<IpAddr>>,
}

/// The addresses of one host.
pub(super) struct HostAddresses(watch::Receiver<Known>);

impl Hosts {
    /// The system's name servers and its file of hosts. It is the resolver of the Elasticsearch client: the system's own
    /// loads libraries while it runs, which a static binary cannot.
    pub(super) fn of_the_system() -> Self {
        Self::built(|| {
            TokioResolver::builder_tokio().unwrap_or_else(|error| {
                if NO_SERVER.admit().is_some() {
                    tracing::warn!(%error, "no name server: of the hosts that rules name only those in /etc/hosts are found");
                }
                Self::without_servers()
            })
        })
    }

    fn without_servers() -> ResolverBuilder<TokioConnectionProvider> {
        TokioResolver::builder_with_config(ResolverConfig::new(), TokioConnectionProvider::default())
    }

    fn built(builder: impl Fn() -> ResolverBuilder<TokioConnectionProvider>) -> Self {
        let of = |strategy| {
            let mut builder = builder();
            builder.options_mut().ip_strategy = strategy;
            Arc::new(builder.build())
        };
        Self { v4: of(LookupIpStrategy::Ipv4Only), v6: of(LookupIpStrategy::Ipv6Only) }
    }

    fn about(&self, family: Family) -> Arc<TokioResolver> {
        Arc::clone(if family == Family::V4 { &self.v4 } else { &self.v6 })
    }

    /// The addresses of `host`, kept up to date until `stop`.
    pub(super) fn follow(&self, host: &str, stop: &CancellationToken) -> HostAddresses {
        let (hosts, name) = (self.clone(), host.to_owned());
        let look_up = move |family| look_up(hosts.about(family), name.clone());
        HostAddresses::follow(host.to_owned(), look_up, [AGAIN, AGAIN_AFTER_FAILURE], stop.clone())
    }
}

async fn look_up(resolver: Arc<TokioResolver>, name: String) -> Answer {
    let found = timeout(LOOK_UP, resolver.lookup_ip(name)).await;
    match found.map_err(|_| format!("no answer within {LOOK_UP:?}"))? {
        Ok(found) => Ok(found.iter().map(|address| address.to_canonical()).collect()),
        Err(error) if says_none(&error) => Ok(Vec::new()),
        Err(error) => Err(error.to_string()),
    }
}

/// Whether it is an answer: that the name, or the name's address of this family, is not there.
fn says_none(error: &ResolveError) -> bool {
    let answered = |code: &ResponseCode| matches!(code, ResponseCode::NoError | ResponseCode::NXDomain);
    let kind = error.proto().map(|error| error.kind());
    matches!(kind, Some(ProtoErrorKind::NoRecordsFound { response_code, .. }) if answered(response_code))
}

impl HostAddresses {
    fn follow<LookUp>(
        host: String,
        look_up: impl Fn(Family) -> LookUp + Send + Sync + 'static,
        [again, after_failure]: [Duration; 2],
        stop: CancellationToken,
    ) -> Self
    where
        LookUp: Future<Output = Answer> + Send,
    {
        let (known, addresses) = watch::channel(Known::default());
        let following = async move {
            loop {
                let of_v4 = async { learn(&known, Family::V4, look_up(Family::V4).await) };
                let of_v6 = async { learn(&known, Family::V6, look_up(Family::V6).await) };
                let (v4, v6) = tokio::join!(of_v4, of_v6);
                let has_addresses = known.borrow().has_addresses();
                if !has_addresses {
                    none_known(&host, v4.and(v6));
                }
                sleep(if has_addresses { again } else { after_failure }).await;
            }
        };
        tokio::spawn(async move { stop.run_until_cancelled(following).await });
        Self(addresses)
    }

    /// Whether the host has this address.
    pub(super) async fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let family = if address.is_ipv4() { Family::V4 } else { Family::V6 };
        let mut known = self.0.clone();
        let known = known.wait_for(|known| known.of(family).is_some()).await;
        // After the stop nobody looks names up any more, and nobody is let in.
        known.is_ok_and(|known| known.of(family).is_some_and(|known| known.contains(&address)))
    }
}

impl Known {
    fn of(&self, family: Family) -> Option<&Vec<IpAddr>> {
        match family {
            Family::V4 => self.v4.as_ref(),
            Family::V6 => self.v6.as_ref(),
        }
    }

    fn of_mut(&mut self, family: Family) -> &mut Option<Vec<IpAddr>> {
        match family {
            Family::V4 => &mut self.v4,
            Family::V6 => &mut self.v6,
        }
    }

    fn has_addresses(&self) -> bool {
        [&self.v4, &self.v6].into_iter().flatten().any(|known| !known.is_empty())
    }
}

/// Takes what a look-up has found; a failure leaves what is known, or ends the wait for the first answer.
fn learn(known: &watch::Sender<Known>, family: Family, answer: Answer) -> Result<(), String> {
    let (found, failed) = match answer {
        Ok(found) => (Some(found), Ok(())),
        Err(error) => (None, Err(error)),
    };
    known.send_modify(|known| {
        let known = known.of_mut(family);
        match found {
            Some(found) => *known = Some(found),
            None => {
                known.get_or_insert_default();
            }
        }
    });
    failed
}

/// Says that a rule covers nobody, and why.
fn none_known(host: &str, looked_up: Result<(), String>) {
    let why = looked_up.err().unwrap_or_else(|| "there is no such name, or it has no address".into());
    if let Some(held_back) = FAILED.admit() {
        tracing::warn!(
            host,
            why,
            held_back,
            "a rule for clients covers nobody: no address of its host is known"
        );
    }
}

#[cfg(test)]
mod tests;
