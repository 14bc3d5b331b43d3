//! From when to when a certificate is valid.

use std::fmt;

use jiff::Timestamp;
use tokio_rustls::rustls::pki_types::CertificateDer;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;

/// Both ends belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The first moment.
    pub not_before: Timestamp,
    /// The last.
    pub not_after: Timestamp,
}

/// How a moment lies to a [`Validity`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Before it.
    NotYetValid,
    /// In it.
    Valid,
    /// After it.
    Expired,
}

impl Validity {
    /// What `certificate` says; or why it is no certificate.
    pub(super) fn of(certificate: &CertificateDer<'_>) -> Result<Self, String> {
        let parsed = Certificate::from_der(certificate).map_err(|error| error.to_string())?;
        let validity = parsed.tbs_certificate().validity();
        let moment = |time: x509_cert::time::Time| {
            let seconds = i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
            // The end of the year 9999 stands for "never"; what lies beyond does too.
            Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
        };
        Ok(Self { not_before: moment(validity.not_before), not_after: moment(validity.not_after) })
    }

    /// How `now` lies to it.
    pub fn at(&self, now: Timestamp) -> Standing {
        if now < self.not_before {
            Standing::NotYetValid
        } else if now > self.not_after {
            Standing::Expired
        } else {
            Standing::Valid
        }
    }
}

impl fmt::Display for Standing {
    /// To follow "the certificate".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotYetValid => "is not valid yet",
            Self::Valid => "is valid",
            Self::Expired => "has expired",
        })
    }
}
