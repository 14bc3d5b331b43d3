//! Users and groups by their names, from the system's own files.
//!
//! why not the C library: the daemon is linked statically, where its look-up (NSS) does not work.

use std::path::Path;

/// Whom a unix socket is given to; what is none stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// The user's number.
    pub user: Option<u32>,
    /// The group's number.
    pub group: Option<u32>,
}

impl Owner {
    /// Whom `USER:GROUP`, `USER` or `:GROUP` names, by name or number; or what is wrong with it.
    pub fn find(text: &str) -> Result<Self, String> {
        Self::find_in(text, Path::new("/etc/passwd"), Path::new("/etc/group"))
    }

    fn find_in(text: &str, users: &Path, groups: &Path) -> Result<Self, String> {
        let (user, group) = text.split_once(':').unwrap_or((text, ""));
        if user.is_empty() && group.is_empty() {
            return Err(format!("`{text}` names nobody; it takes \"user:group\", \"user\" or \":group\""));
        }
        Ok(Self { user: number(user, "user", users)?, group: number(group, "group", groups)? })
    }
}

fn number(name: &str, kind: &str, file: &Path) -> Result<Option<u32>, String> {
    if name.is_empty() {
        return Ok(None);
    }
    if name.bytes().all(|byte| byte.is_ascii_digit()) {
        return name.parse().map(Some).map_err(|_| format!("`{name}` is too large for a {kind}'s number"));
    }
    let shown = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| {
        format!("cannot look up the {kind} `{name}` in `{shown}`: {error}; its number will do")
    })?;
    let found = text.lines().find_map(|line| listed(line, name));
    found.map(Some).ok_or_else(|| format!("there is no {kind} `{name}` in `{shown}`; its number will do too"))
}

/// The number in a line for `name`: `NAME:PASSWORD:NUMBER:…` in either file.
fn listed(line: &str, name: &str) -> Option<u32> {
    let mut fields = line.split(':');
    (fields.next()? == name).then(|| fields.nth(1)?.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_and_groups_are_found_by_name_or_number_and_a_missing_one_is_told() {
        let folder = tempfile::tempdir().expect("a directory");
        let (users, groups) = (folder.path().join("passwd"), folder.path().join("group"));
        std::fs::write(&users, "root:x:0:0:root:/root:/bin/sh\nweb:x:33:34::/:/bin/false\nbroken:x\n")
            .expect("a file");
        std::fs::write(&groups, "root:x:0:\nlogs:x:990:web,root\n").expect("a file");
        let find = |text: &str| Owner::find_in(text, &users, &groups);
        let owner = |user, group| Ok(Owner { user, group });
        assert_eq!(find("web:logs"), owner(Some(33), Some(990)));
        assert_eq!(find("web"), owner(Some(33), None));
        assert_eq!(find(":logs"), owner(None, Some(990)));
        assert_eq!(find("65532:0"), owner(Some(65532), Some(0)));
        for (text, told) in [
            (":", "nobody"),
            ("", "nobody"),
            ("we:logs", "`we`"),
            ("web:log", "group `log`"),
            ("broken", "`broken`"),
            ("99999999999", "too large"),
        ] {
            let fault = find(text).expect_err(text);
            assert!(fault.contains(told), "{fault}");
        }
        let fault = Owner::find_in("web", &folder.path().join("none"), &groups).expect_err("no such file");
        assert!(fault.contains("its number will do"), "{fault}");
    }
}
