//! The three messages of the handshake, as `out_forward` of Fluentd and Fluent Bit read and write them.
//!
//! ```text
//! server  ["HELO", {"nonce": 16 bytes, "auth": 16 bytes or none, "keepalive": bool}]
//! client  ["PING", hostname, salt, digest(salt + hostname + nonce + shared key),
//!          user name or "", digest(auth + user name + password) or ""]
//! server  ["PONG", granted, reason, hostname, digest(salt + hostname + nonce + shared key)]
//! ```
//!
//! Texts and bytes are taken as they come: Fluentd sends its salt as text, Fluent Bit as a str that is not UTF-8, others
//! as bin. What is sent has the types of Fluentd: raw bytes are bin, the rest is str. An `auth` that is empty is bin too,
//! where Fluentd has the empty str: it is the same to its clients, and those in Go take nothing else.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

/// What the server says first.
#[derive(serde::Serialize)]
struct HeloOptions<'a> {
    nonce: Bytes<'a>,
    /// The salt of passwords; none tells the client that it need not be a user.
    auth: Bytes<'a>,
    keepalive: bool,
}

/// The client's answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ping<'a> {
    pub(super) hostname: &'a [u8],
    pub(super) salt: &'a [u8],
    pub(super) digest: &'a [u8],
    pub(super) username: &'a [u8],
    pub(super) password_digest: &'a [u8],
}

/// Bytes of any msgpack type that can carry them.
#[derive(Clone, Copy)]
struct Bytes<'a>(&'a [u8]);

/// The HELO in bytes. `auth` is the salt of passwords, empty where users are not asked for.
pub(super) fn helo(nonce: &[u8], auth: &[u8], keepalive: bool) -> Vec<u8> {
    written(&("HELO", HeloOptions { nonce: Bytes(nonce), auth: Bytes(auth), keepalive }))
}

/// The PONG of a client that is let in.
pub(super) fn pong(hostname: &str, digest: &str) -> Vec<u8> {
    written(&("PONG", true, "", hostname, digest))
}

/// The PONG of one that is not, with the reason.
pub(super) fn refusal(reason: &str) -> Vec<u8> {
    written(&("PONG", false, reason, "", ""))
}

fn written(message: &impl Serialize) -> Vec<u8> {
    // It cannot fail in memory; a message that is empty all the same is one that no client takes.
    rmp_serde::to_vec_named(message).unwrap_or_default()
}

/// Reads one whole msgpack value as a PING; none if it is anything else.
pub(super) fn ping(bytes: &[u8]) -> Option<Ping<'_>> {
    type Parts<'a> = (Bytes<'a>, Bytes<'a>, Bytes<'a>, Bytes<'a>, Bytes<'a>, Bytes<'a>);
    let parts: Parts<'_> = rmp_serde::from_slice(bytes).ok()?;
    let (Bytes(b"PING"), hostname, salt, digest, username, password_digest) = parts else { return None };
    Some(Ping {
        hostname: hostname.0,
        salt: salt.0,
        digest: digest.0,
        username: username.0,
        password_digest: password_digest.0,
    })
}

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Bytes<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyBytes)
    }
}

/// Takes str, UTF-8 or not, and bin; nil is what some send for no user.
struct AnyBytes;

impl<'de> Visitor<'de> for AnyBytes {
    type Value = Bytes<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("str, bin or nil")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Bytes(text.as_bytes()))
    }

    fn visit_borrowed_bytes<E: de::Error>(self, bytes: &'de [u8]) -> Result<Self::Value, E> {
        Ok(Bytes(bytes))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(Bytes(b""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(parts: &[rmpv::Value]) -> Vec<u8> {
        let mut bytes = Vec::new();
        rmpv::encode::write_value(&mut bytes, &rmpv::Value::Array(parts.to_vec())).expect("in memory");
        bytes
    }

    #[test]
    fn a_ping_is_taken_with_str_bin_and_nil_in_any_place() {
        let not_utf8 =
            [&[0x96, 0xa4][..], b"PING", &[0xa1, b'h', 0xa2, 0xff, 0xfe, 0xc4, 1, b'd', 0xc0, 0xa0]];
        let read =
            Ping { hostname: b"h", salt: b"\xff\xfe", digest: b"d", username: b"", password_digest: b"" };
        assert_eq!(ping(&not_utf8.concat()), Some(read));
        let named = sent(&[&b"PING"[..], b"h", b"s", b"d", b"u", b"p"].map(rmpv::Value::from));
        assert_eq!(ping(&named).map(|ping| ping.username), Some(&b"u"[..]));
    }

    #[test]
    fn what_is_no_ping_is_none() {
        let texts =
            |parts: &[&str]| sent(&parts.iter().map(|part| rmpv::Value::from(*part)).collect::<Vec<_>>());
        for bytes in [
            texts(&["PING", "h", "s", "d", "u"]),
            texts(&["PING", "h", "s", "d", "u", "p", "more"]),
            texts(&["PONG", "h", "s", "d", "u", "p"]),
            sent(&[rmpv::Value::from("PING"), 1.into(), 2.into(), 3.into(), 4.into(), 5.into()]),
            sent(&[]),
            vec![0xc0],
            b"{".to_vec(),
            Vec::new(),
        ] {
            assert_eq!(ping(&bytes), None, "{bytes:x?}");
        }
    }
}
