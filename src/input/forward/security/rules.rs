//! Who may come in: the rules of a listener, and the checks in the order of Fluentd's: source, shared key, user.
//!
//! Invariants: the first rule that covers an address counts, whatever its key and users say; a check takes the same time
//! whether a user exists or not, and whether a rule names it or not; what is compared is compared in constant time.

use std::cell::LazyCell;
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use ipnet::IpNet;
use subtle::Choice;
use tokio_util::sync::CancellationToken;

use super::digest;
use super::hosts::{HostAddresses, Hosts};
use super::messages::Ping;
use super::options::{ClientOptions, SecurityOptions};
use super::refusal::Refusal;
use crate::input::forward::networks;
use crate::units::Secret;

/// What a client is measured by.
pub(super) struct Rules {
    shared_key: Option<Secret>,
    allow_anonymous: bool,
    users: HashMap<Vec<u8>, Secret>,
    clients: Vec<Rule>,
    /// The password of users that do not exist.
    nobody: Secret,
}

struct Rule {
    source: Source,
    shared_key: Option<Secret>,
    /// Empty for all.
    users: HashSet<Vec<u8>>,
}

enum Source {
    Network(IpNet),
    Host(HostAddresses),
}

/// What both sides know of one handshake: the random bytes of the HELO.
pub(super) struct Salts {
    pub(super) nonce: [u8; 16],
    /// Of passwords; none where users are not asked for.
    pub(super) auth: Option<[u8; 16]>,
}

impl Rules {
    /// The rules of one listener; names of hosts are followed until `stop`.
    pub(super) fn new(options: &SecurityOptions, stop: &CancellationToken) -> Self {
        // why: a listener whose rules name no host needs no name server, and no warning that there is none.
        let hosts: LazyCell<Hosts> = LazyCell::new(Hosts::of_the_system);
        let user = |user: &super::UserOptions| Some((user.name.clone().into_bytes(), user.password.clone()?));
        Self {
            shared_key: options.shared_key.clone(),
            allow_anonymous: options.allow_anonymous,
            users: options.users.iter().filter_map(user).collect(),
            clients: options.clients.iter().filter_map(|client| Rule::new(client, &hosts, stop)).collect(),
            nobody: Secret::new("a password of nobody"),
        }
    }

    /// Whether a client has to be a user.
    pub(super) fn ask_for_users(&self) -> bool {
        !self.users.is_empty()
    }

    /// The shared key of the client that sent `ping` from `address` (none for a unix socket), if it may come in.
    pub(super) async fn check(
        &self,
        ping: &Ping<'_>,
        salts: &Salts,
        address: Option<IpAddr>,
    ) -> Result<&Secret, Refusal> {
        let rule = self.rule(address).await;
        if rule.is_none() && !self.allow_anonymous {
            return Err(Refusal::Anonymous);
        }
        let own = rule.and_then(|rule| rule.shared_key.as_ref());
        // A configuration without a key for somebody who is let in is refused when it is read.
        let key = own.or(self.shared_key.as_ref()).ok_or(Refusal::SharedKey)?;
        let expected = digest::hex(&[ping.salt, ping.hostname, &salts.nonce, key.expose().as_bytes()]);
        if !bool::from(digest::same(&expected, ping.digest)) {
            return Err(Refusal::SharedKey);
        }
        match &salts.auth {
            Some(auth) if !bool::from(self.is_user(ping, auth, rule)) => Err(Refusal::User),
            _ => Ok(key),
        }
    }

    async fn rule(&self, address: Option<IpAddr>) -> Option<&Rule> {
        let address = address?;
        for rule in &self.clients {
            if rule.source.covers(address).await {
                return Some(rule);
            }
        }
        None
    }

    fn is_user(&self, ping: &Ping<'_>, auth: &[u8], rule: Option<&Rule>) -> Choice {
        let known = self.users.get(ping.username);
        let may = rule.is_none_or(|rule| rule.users.is_empty() || rule.users.contains(ping.username));
        // why: a digest is made and compared for a user that is not there too; an early return would tell who is.
        let password = known.unwrap_or(&self.nobody);
        let expected = digest::hex(&[auth, ping.username, password.expose().as_bytes()]);
        let is_password = digest::same(&expected, ping.password_digest);
        is_password & Choice::from(u8::from(known.is_some())) & Choice::from(u8::from(may))
    }
}

impl Rule {
    /// None where a client names neither network nor host, which the configuration refuses.
    fn new(options: &ClientOptions, hosts: &LazyCell<Hosts>, stop: &CancellationToken) -> Option<Self> {
        let source = match (&options.network, &options.host) {
            (Some(network), _) => Source::Network(*network),
            (None, host) => Source::Host(hosts.follow(host.as_deref()?, stop)),
        };
        let users = options.users.iter().map(|name| name.clone().into_bytes()).collect();
        Some(Self { source, shared_key: options.shared_key.clone(), users })
    }
}

impl Source {
    async fn covers(&self, address: IpAddr) -> bool {
        match self {
            Self::Network(network) => networks::covers(network, address),
            Self::Host(addresses) => addresses.contain(address).await,
        }
    }
}
