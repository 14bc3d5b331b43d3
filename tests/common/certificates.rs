//! An authority of the tests' own, and a certificate for `localhost` and 127.0.0.1 that it signed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::process::run;

/// `ca.crt`, `node.crt` and `node.key`.
pub(crate) struct Certificates(TempDir);

impl Certificates {
    /// By an authority whose name no other has: it would be taken for that one otherwise.
    pub(crate) fn make() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let name = format!("authority of {}", folder.path().file_name().unwrap_or_default().display());
        Self::fill(folder, &name)
    }

    /// By an authority of this name.
    pub(crate) fn of(name: &str) -> Self {
        Self::fill(TempDir::new().expect("a temporary folder"), name)
    }

    fn fill(folder: TempDir, name: &str) -> Self {
        let made = Self(folder);
        let script = r#"
            openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=$1" -keyout ca.key -out ca.crt
            openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout node.key -out node.csr
            echo "subjectAltName=DNS:localhost,IP:127.0.0.1" > names
            openssl x509 -req -days 2 -in node.csr -CA ca.crt -CAkey ca.key -CAcreateserial -extfile names -out node.crt
        "#;
        run(Command::new("sh").args(["-ec", script, "make", name]).current_dir(made.0.path()));
        made
    }

    /// Signs another certificate for the same names: `NAME.crt` and `NAME.key`. It is valid from now for so many days, and
    /// has expired already where they are fewer than none.
    pub(crate) fn sign(&self, name: &str, days: i32) {
        let script = r#"
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$1.key" -out "$1.csr"
            openssl x509 -req -days "$2" -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -extfile names -out "$1.crt"
        "#;
        let mut command = Command::new("sh");
        run(command.args(["-ec", script, "sign", name, &days.to_string()]).current_dir(self.0.path()));
    }

    /// Where all of them are.
    pub(crate) fn folder(&self) -> &Path {
        self.0.path()
    }

    /// Where a file is that was made.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.path().join(name)).expect("a certificate that was made")
    }

    pub(crate) fn copy_to(&self, folder: &Path) {
        for name in ["ca.crt", "node.crt", "node.key"] {
            fs::copy(self.0.path().join(name), folder.join(name)).expect("a copy of a certificate");
        }
    }
}
