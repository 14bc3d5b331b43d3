//! Secrets from text or from a file, as orchestrators mount them. No fault shows what a secret holds.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::fault::Place;
use super::setting::text;
use super::tree::Node;
use crate::units::Secret;

/// No secret is longer; a file that is was named by mistake.
const LONGEST: u64 = 64 << 10;

/// What the two keys of a secret say: nothing; that there is none (empty text); or a secret. The key of the
/// higher layer counts, so that a mounted file covers what a configuration file says.
pub(super) fn read(
    direct: Option<&Node>,
    from_file: Option<&Node>,
) -> Result<Option<Option<Secret>>, (Place, String)> {
    match (direct, from_file) {
        (None, None) => Ok(None),
        (Some(direct), None) => from_text(direct).map(Some),
        (None, Some(file)) => from_path(file).map(Some),
        (Some(direct), Some(file)) => choose(direct, file).map(Some),
    }
}

fn choose(direct: &Node, file: &Node) -> Result<Option<Secret>, (Place, String)> {
    let given = (from_text(direct)?.is_some(), !content(file)?.is_empty());
    match direct.place.layer().cmp(&file.place.layer()) {
        std::cmp::Ordering::Greater => from_text(direct),
        std::cmp::Ordering::Less => from_path(file),
        std::cmp::Ordering::Equal if given == (true, true) => {
            Err((direct.place.clone(), "is given twice: here and as a file; keep one".into()))
        }
        std::cmp::Ordering::Equal if given.0 => from_text(direct),
        std::cmp::Ordering::Equal => from_path(file),
    }
}

fn content(node: &Node) -> Result<&str, (Place, String)> {
    text(node, "text").map_err(|mut wrong| {
        let why = wrong.pop().map_or_else(String::new, |wrong| wrong.why);
        (node.place.clone(), why)
    })
}

fn from_text(node: &Node) -> Result<Option<Secret>, (Place, String)> {
    Ok(Some(content(node)?).filter(|text| !text.is_empty()).map(Secret::new))
}

fn from_path(node: &Node) -> Result<Option<Secret>, (Place, String)> {
    match content(node)? {
        "" => Ok(None),
        path => load(Path::new(path)).map(Some).map_err(|why| (node.place.clone(), why)),
    }
}

/// The secret that a file holds, without the newline that editors add.
fn load(path: &Path) -> Result<Secret, String> {
    let unreadable = |error| format!("cannot read `{}`: {error}", path.display());
    let mut held = String::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(LONGEST + 1).read_to_string(&mut held).map_err(unreadable)?;
    let secret = held.strip_suffix('\n').unwrap_or(&held);
    let secret = secret.strip_suffix('\r').unwrap_or(secret);
    match secret.len() as u64 {
        0 => Err(format!("`{}` is empty", path.display())),
        length if length > LONGEST => Err(format!("`{}` is over 64 KiB: no secret", path.display())),
        _ => Ok(Secret::new(secret)),
    }
}
