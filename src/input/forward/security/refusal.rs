//! Why a client is not let in: what it is told, what the operator is told, and what is counted.

use std::net::IpAddr;
use std::time::Duration;

use crate::log::RateLimitedEach;

/// How often each reason is logged for an address; none is that of unix sockets. A client that is refused comes again,
/// often every second, and must not hide another.
const LOGGED: Duration = Duration::from_secs(10);

type Limit = RateLimitedEach<Option<IpAddr>>;

static NOT_PING: Limit = RateLimitedEach::every(LOGGED);
static CUT_OFF: Limit = RateLimitedEach::every(LOGGED);
static ANONYMOUS: Limit = RateLimitedEach::every(LOGGED);
static SHARED_KEY: Limit = RateLimitedEach::every(LOGGED);
static USER: Limit = RateLimitedEach::every(LOGGED);

/// Why a handshake failed by the client's doing. Trying again without a change on one side brings the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::input::forward) enum Refusal {
    /// Its first message is none of the handshake.
    #[error(
        "it sent something else than the handshake's PING; a client that cannot do the handshake, such as docker's \
         driver, needs a listener without [forward.security]"
    )]
    NotPing,
    /// It closed the connection in the middle of its PING.
    #[error("it closed the connection in the middle of its PING")]
    CutOff,
    /// No rule covers its address, and others are not let in.
    #[error("no [[forward.security.clients]] covers its address, and allow_anonymous is false")]
    Anonymous,
    /// It does not know the shared key that holds for its address.
    #[error("its shared_key is not the one that holds for its address")]
    SharedKey,
    /// It is no user, not one of those that its rule names, or does not know the password.
    #[error("its user name or password is wrong, or its rule does not name the user")]
    User,
}

impl Refusal {
    /// The word for metrics.
    pub(in crate::input::forward) fn reason(self) -> &'static str {
        match self {
            Self::NotPing => "not_ping",
            Self::CutOff => "cut_off",
            Self::Anonymous => "anonymous",
            Self::SharedKey => "shared_key",
            Self::User => "user",
        }
    }

    /// What the client is told, in the words of Fluentd, which people search for.
    pub(super) fn told(self) -> &'static str {
        match self {
            Self::NotPing | Self::CutOff => "invalid ping message",
            Self::Anonymous => "anonymous source host denied",
            Self::SharedKey => "shared_key mismatch",
            Self::User => "username/password mismatch",
        }
    }

    /// What keeps its log lines apart.
    pub(in crate::input::forward) fn log_limit(self) -> &'static Limit {
        match self {
            Self::NotPing => &NOT_PING,
            Self::CutOff => &CUT_OFF,
            Self::Anonymous => &ANONYMOUS,
            Self::SharedKey => &SHARED_KEY,
            Self::User => &USER,
        }
    }
}
