//! The addresses of hosts that rules name, looked up off the path.
//!
//! Invariants: a handshake waits for the first answer only, never for a later one; a look-up has a time-out; the
//! addresses that are known stay while a name server fails, so that its failing locks nobody out.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::log::RateLimited;

/// How long a look-up may take: below the default `handshake_timeout`, since handshakes wait for the first one.
const LOOK_UP: Duration = Duration::from_secs(5);

/// How often a name is looked up again. The resolver answers from its cache for as long as the name's records say.
const AGAIN: Duration = Duration::from_secs(30);

/// The same after a failure.
const AGAIN_AFTER_FAILURE: Duration = Duration::from_secs(5);

static FAILED: RateLimited = RateLimited::every(Duration::from_secs(60));

/// Looks names up, as the system's configuration says.
pub(super) struct Hosts {
    resolver: Option<Arc<TokioResolver>>,
}

/// The addresses of one host; none at all until the first look-up has ended.
pub(super) struct HostAddresses(watch::Receiver<Option<Vec<IpAddr>>>);

impl Hosts {
    /// The system's name servers and its file of hosts. It is the resolver of the Elasticsearch client: the system's own
    /// loads libraries while it runs, which a static binary cannot.
    pub(super) fn of_the_system() -> Self {
        let built = TokioResolver::builder_tokio().map(|builder| Arc::new(builder.build()));
        let resolver = built.inspect_err(
            |error| tracing::warn!(%error, "cannot look up hosts: no rule that names one covers anybody"),
        );
        Self { resolver: resolver.ok() }
    }

    /// The addresses of `host`, kept up to date until `stop`.
    pub(super) fn follow(&self, host: &str, stop: &CancellationToken) -> HostAddresses {
        let (resolver, name) = (self.resolver.clone(), host.to_owned());
        let look_up = move || look_up(resolver.clone(), name.clone());
        HostAddresses::follow(host.to_owned(), look_up, [AGAIN, AGAIN_AFTER_FAILURE], stop.clone())
    }
}

async fn look_up(resolver: Option<Arc<TokioResolver>>, name: String) -> Result<Vec<IpAddr>, String> {
    let resolver = resolver.ok_or("the system has no name server")?;
    let found = timeout(LOOK_UP, resolver.lookup_ip(name)).await;
    let found = found.map_err(|_| format!("no answer within {LOOK_UP:?}"))?;
    Ok(found.map_err(|error| error.to_string())?.iter().collect())
}

impl HostAddresses {
    fn follow<LookUp>(
        host: String,
        look_up: impl Fn() -> LookUp + Send + 'static,
        [again, after_failure]: [Duration; 2],
        stop: CancellationToken,
    ) -> Self
    where
        LookUp: Future<Output = Result<Vec<IpAddr>, String>> + Send,
    {
        let (known, addresses) = watch::channel(None);
        let following = async move {
            loop {
                let answer = look_up().await;
                let pause = if answer.is_ok() { again } else { after_failure };
                learn(&known, &host, answer);
                sleep(pause).await;
            }
        };
        tokio::spawn(async move { stop.run_until_cancelled(following).await });
        Self(addresses)
    }

    /// Whether the host has this address.
    pub(super) async fn contain(&self, address: IpAddr) -> bool {
        let mut known = self.0.clone();
        let known = known.wait_for(Option::is_some).await;
        // After the stop nobody looks names up any more, and nobody is let in.
        known.is_ok_and(|known| known.as_ref().is_some_and(|known| known.contains(&address)))
    }
}

/// Takes the answer to a look-up; a failure leaves what is known, or ends the wait for the first.
fn learn(known: &watch::Sender<Option<Vec<IpAddr>>>, host: &str, answer: Result<Vec<IpAddr>, String>) {
    match answer {
        Ok(addresses) => {
            let addresses = addresses.iter().map(IpAddr::to_canonical).collect();
            known.send_replace(Some(addresses));
        }
        Err(error) => {
            if let Some(held_back) = FAILED.admit() {
                tracing::warn!(host, error, held_back, "cannot look up a host that a rule for clients names");
            }
            known.send_modify(|known| {
                known.get_or_insert_default();
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex;

    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V6(std::net::Ipv6Addr::LOCALHOST);

    /// Addresses that follow these answers, one after another; the last one stays.
    fn following(answers: Vec<Result<Vec<IpAddr>, String>>, stop: &CancellationToken) -> HostAddresses {
        let answers = Mutex::new(VecDeque::from(answers));
        let look_up = move || {
            let mut answers = answers.lock().expect("nobody panics with it");
            let last = answers.len() == 1;
            let answer = if last { answers.front().cloned() } else { answers.pop_front() };
            std::future::ready(answer.expect("there is one"))
        };
        HostAddresses::follow("host".into(), look_up, [Duration::from_millis(1); 2], stop.clone())
    }

    async fn until_known(addresses: &mut HostAddresses, wanted: &[IpAddr]) {
        let known = addresses.0.wait_for(|known| known.as_deref() == Some(wanted));
        timeout(Duration::from_secs(20), known).await.expect("in time").expect("it is followed");
    }

    #[tokio::test]
    async fn a_host_is_followed_to_its_new_address() {
        let stop = CancellationToken::new();
        let mut addresses = following(vec![Ok(vec![HERE]), Ok(vec![THERE])], &stop);
        until_known(&mut addresses, &[THERE]).await;
        assert!(addresses.contain(THERE).await);
        assert!(!addresses.contain(HERE).await);
    }

    #[tokio::test]
    async fn what_is_known_stays_while_the_name_server_fails() {
        let stop = CancellationToken::new();
        let mut addresses = following(vec![Ok(vec![HERE]), Err("no answer".into())], &stop);
        until_known(&mut addresses, &[HERE]).await;
        addresses.0.changed().await.expect("it is looked up again");
        assert!(addresses.contain(HERE).await);
    }

    #[tokio::test]
    async fn a_host_that_is_not_found_covers_nobody_until_it_is() {
        let stop = CancellationToken::new();
        let mut addresses = following(vec![Err("no such name".into()), Ok(vec![HERE])], &stop);
        until_known(&mut addresses, &[HERE]).await;
        let never = following(vec![Err("no such name".into())], &stop);
        assert!(!never.contain(HERE).await, "and the wait for it has ended");
    }
}
