//! Host names of peers: looked up beside the path, remembered for a while.
//!
//! Promises: no event waits for a name; so many look-ups at once, each within its time; so many addresses remembered.
//! The name is what the reverse zone says, which whoever holds the address can write: good for finding, not for trust.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hickory_resolver::TokioResolver;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::input::Awaited;
use crate::log::RateLimited;

/// Look-ups at once.
const AT_ONCE: usize = 16;

/// For one look-up.
const PATIENCE: Duration = Duration::from_secs(5);

/// Addresses that are remembered. Beyond, those that have expired are forgotten, and then a new one has no name.
const REMEMBERED: usize = 4_096;

/// How long a name is good.
const GOOD: Duration = Duration::from_secs(600);

/// How long it is remembered that there is none.
const NONE: Duration = Duration::from_secs(60);

static NO_RESOLVER: RateLimited = RateLimited::every(Duration::from_secs(10));

/// The names that are known.
pub(super) struct Names {
    resolver: TokioResolver,
    known: Mutex<HashMap<IpAddr, Known>>,
    turns: Semaphore,
}

struct Known {
    name: Awaited,
    since: Instant,
}

impl Known {
    fn has_expired(&self, now: Instant) -> bool {
        let good = if self.name.get() == Some(&None) { NONE } else { GOOD };
        now.saturating_duration_since(self.since) > good
    }
}

impl Names {
    /// None known yet. They are looked up as this host does it: in `/etc/hosts` and at the servers of `/etc/resolv.conf`.
    /// Without these there are no names, which is said.
    pub(super) fn of_this_host() -> Option<Arc<Self>> {
        match TokioResolver::builder_tokio() {
            Ok(builder) => Some(Self::with(builder.build())),
            Err(error) => {
                if NO_RESOLVER.admit().is_some() {
                    tracing::warn!(%error, "host names cannot be looked up; source_hostname_key takes addresses");
                }
                None
            }
        }
    }

    fn with(resolver: TokioResolver) -> Arc<Self> {
        Arc::new(Self { resolver, known: Mutex::default(), turns: Semaphore::new(AT_ONCE) })
    }

    /// The name of `address`, which may become known later.
    pub(super) fn of(self: &Arc<Self>, address: IpAddr) -> Option<Awaited> {
        let now = Instant::now();
        let mut known = self.lock();
        if let Some(found) = known.get(&address).filter(|found| !found.has_expired(now)) {
            return Some(Arc::clone(&found.name));
        }
        if known.len() >= REMEMBERED {
            known.retain(|_, found| !found.has_expired(now));
        }
        if known.len() >= REMEMBERED {
            return None;
        }
        let name = Awaited::default();
        known.insert(address, Known { name: Arc::clone(&name), since: now });
        drop(known);
        let (names, found) = (Arc::clone(self), Arc::clone(&name));
        tokio::spawn(async move { found.set(names.look_up(address).await) });
        Some(name)
    }

    async fn look_up(&self, address: IpAddr) -> Option<String> {
        // Nobody closes the semaphore; there would be no bound any more, and no harm.
        let _turn = self.turns.acquire().await.ok();
        let answer = timeout(PATIENCE, self.resolver.reverse_lookup(address)).await.ok()?;
        let answer = answer.inspect_err(|error| tracing::debug!(%address, %error, "no host name")).ok()?;
        let name = answer.iter().next()?.to_ascii();
        Some(name.strip_suffix('.').unwrap_or(&name).to_owned())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, Known>> {
        // Each entry is whole, whatever panicked beside it.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use hickory_resolver::config::{NameServerConfig, ResolverConfig};
    use hickory_resolver::name_server::TokioConnectionProvider;
    use hickory_resolver::proto::xfer::Protocol;
    use tokio::net::UdpSocket;

    use super::*;

    /// A name server that answers every question with the same name, and how often it was asked.
    async fn server(name: &'static [&'static str]) -> (SocketAddr, Arc<Mutex<usize>>) {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
        let (address, asked) = (socket.local_addr().expect("an address"), Arc::new(Mutex::new(0)));
        let count = Arc::clone(&asked);
        tokio::spawn(async move {
            let mut question = [0; 512];
            while let Ok((length, peer)) = socket.recv_from(&mut question).await {
                *count.lock().expect("no panic") += 1;
                socket.send_to(&answer(&question[..length], name), peer).await.expect("sent");
            }
        });
        (address, asked)
    }

    /// One PTR record for the question's name, good for a minute; without a name, that there is none.
    fn answer(question: &[u8], name: &[&str]) -> Vec<u8> {
        let end = 12 + question[12..].iter().position(|byte| *byte == 0).expect("a name's end") + 5;
        let label = |label: &&str| [&[label.len() as u8], label.as_bytes()].concat();
        let name: Vec<u8> = name.iter().flat_map(label).collect();
        let (code, answers) = if name.is_empty() { (0x83, 0) } else { (0x80, 1) };
        let mut out =
            [&question[..2], &[0x81, code, 0, 1, 0, answers, 0, 0, 0, 0], &question[12..end]].concat();
        if answers == 1 {
            out.extend([0xc0, 12, 0, 12, 0, 1, 0, 0, 0, 60, 0, name.len() as u8 + 1]);
            out.extend(name.iter().chain([&0]));
        }
        out
    }

    fn names(server: SocketAddr) -> Arc<Names> {
        let mut config = ResolverConfig::new();
        config.add_name_server(NameServerConfig::new(server, Protocol::Udp));
        Names::with(TokioResolver::builder_with_config(config, TokioConnectionProvider::default()).build())
    }

    async fn known(name: &Awaited) -> Option<String> {
        let waiting = async {
            while name.get().is_none() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(Duration::from_secs(20), waiting).await.expect("an answer in time");
        name.get().cloned().flatten()
    }

    #[tokio::test]
    async fn a_name_is_looked_up_once_and_remembered() {
        let (address, asked) = server(&["web-7", "example", "net"]).await;
        let names = names(address);
        let peer = IpAddr::from([192, 0, 2, 7]);
        let first = names.of(peer).expect("room");
        assert_eq!(first.get(), None, "nobody waits");
        assert_eq!(known(&first).await.as_deref(), Some("web-7.example.net"));
        let again = names.of(peer).expect("room");
        assert_eq!(again.get(), Some(&Some("web-7.example.net".to_owned())));
        assert_eq!(*asked.lock().expect("no panic"), 1);
    }

    #[tokio::test]
    async fn an_address_without_a_name_is_asked_for_again_later() {
        let (address, _) = server(&[]).await;
        let names = names(address);
        let peer = IpAddr::from([192, 0, 2, 8]);
        assert_eq!(known(&names.of(peer).expect("room")).await, None);
        let known = names.lock();
        let found = known.get(&peer).expect("remembered");
        assert!(!found.has_expired(Instant::now()));
        assert!(found.has_expired(Instant::now() + NONE + Duration::from_secs(1)));
    }

    #[tokio::test]
    async fn more_addresses_than_are_remembered_have_no_names_and_take_no_memory() {
        let (address, _) = server(&["a"]).await;
        let names = names(address);
        let asked = (0..REMEMBERED as u32 + 10).map(|number| names.of(IpAddr::from(number.to_be_bytes())));
        assert_eq!(asked.filter(Option::is_some).count(), REMEMBERED);
        assert_eq!(names.lock().len(), REMEMBERED);
    }
}
