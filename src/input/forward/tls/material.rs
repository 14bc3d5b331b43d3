//! The files of a listener's TLS, as they are at one moment.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::options::ServerCertificate;

/// No file of certificates or of a key is longer; one that is was named by mistake.
const LONGEST: u64 = 1 << 20;

/// What a file held, or why it could not be read.
pub(super) type Content = Result<Vec<u8>, String>;

/// What all the files held. It is compared as a whole and by content: what cannot be read is a state like others.
#[derive(PartialEq)]
pub(super) struct Material {
    pub(super) certificate: Content,
    pub(super) key: Content,
    /// `None` where no client is asked for a certificate.
    pub(super) client_ca: Option<Content>,
}

impl Material {
    /// Reads the files, following links.
    pub(super) fn read(pair: &ServerCertificate, client_ca: Option<&Path>) -> Self {
        Self { certificate: read(&pair.certificate), key: read(&pair.key), client_ca: client_ca.map(read) }
    }
}

fn read(path: &Path) -> Content {
    let mut held = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut held));
    match read {
        Ok(_) if held.len() as u64 > LONGEST => Err("it is over 1 MiB".into()),
        Ok(_) => Ok(held),
        Err(error) => Err(error.to_string()),
    }
}
