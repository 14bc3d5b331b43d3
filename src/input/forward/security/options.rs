//! The keys of a listener's handshake, with their defaults.

use ipnet::IpNet;

use crate::units::Secret;

/// A `[forward.security]` table, under a `[[forward]]`: without a key, a user or a client in it there is no handshake.
#[derive(Clone, Debug, PartialEq)]
pub struct SecurityOptions {
    /// What every client has to know that no rule gives a key of its own.
    pub shared_key: Option<Secret>,
    /// The name under which the listener presents itself; none for the host's.
    pub self_hostname: Option<String>,
    /// Whether clients that no rule covers are let in, with `shared_key`.
    pub allow_anonymous: bool,
    /// `[[forward.security.users]]`: if there are any, a client has to be one of them too.
    pub users: Vec<UserOptions>,
    /// `[[forward.security.clients]]`: the first that covers a client's address counts.
    pub clients: Vec<ClientOptions>,
}

/// A `[[forward.security.users]]` table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UserOptions {
    /// The name that the client gives.
    pub name: String,
    /// The password that it has to know.
    pub password: Option<Secret>,
}

/// A `[[forward.security.clients]]` table: `network` or `host`, not both.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClientOptions {
    /// The addresses it covers.
    pub network: Option<IpNet>,
    /// The host whose addresses it covers.
    pub host: Option<String>,
    /// The key of these clients, in place of the listener's.
    pub shared_key: Option<Secret>,
    /// The names of the users that these clients may be; empty for all.
    pub users: Vec<String>,
}

impl Default for SecurityOptions {
    fn default() -> Self {
        Self {
            shared_key: None,
            self_hostname: None,
            allow_anonymous: true,
            users: Vec::new(),
            clients: Vec::new(),
        }
    }
}

impl SecurityOptions {
    /// Whether clients have to shake hands.
    pub fn is_on(&self) -> bool {
        self.shared_key.is_some() || !self.clients.is_empty() || !self.users.is_empty()
    }
}
