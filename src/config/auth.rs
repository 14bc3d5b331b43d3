//! Credentials: flat keys, and user information in a host's URL, to one kind of [`Auth`]. What a URL carries is
//! moved out of it, so that no log line and no printed configuration shows it.

use url::Url;

use super::section::Section;
use crate::output::{Auth, ElasticsearchOptions};
use crate::units::Secret;

/// The keys, before it is clear which kind they make.
#[derive(Default)]
struct Flat {
    username: Option<String>,
    password: Option<Secret>,
    api_key: Option<Secret>,
    bearer_token: Option<Secret>,
}

/// Which keys are at odds, and how.
type Contradiction = (&'static [&'static str], &'static str);

/// Reads or prints the credentials of `options`.
pub(super) fn auth(section: &mut Section<'_>, options: &mut ElasticsearchOptions) {
    let mut flat = Flat::from(&options.auth);
    section.key("username", &mut flat.username);
    section.secret("password", &mut flat.password);
    section.secret("api_key", &mut flat.api_key);
    section.secret("bearer_token", &mut flat.bearer_token);
    let settled = match take_user_information(&mut options.hosts) {
        Ok(found) => flat.settle(found),
        Err(contradiction) => Err(contradiction),
    };
    match settled {
        Ok(auth) => options.auth = auth,
        Err((keys, why)) => section.refuse(keys, why),
    }
}

impl From<&Auth> for Flat {
    fn from(auth: &Auth) -> Self {
        let mut flat = Self::default();
        match auth.clone() {
            Auth::None => {}
            Auth::Basic { username, password } => {
                (flat.username, flat.password) = (Some(username), Some(password));
            }
            Auth::ApiKey(key) => flat.api_key = Some(key),
            Auth::Bearer(token) => flat.bearer_token = Some(token),
        }
        flat
    }
}

impl Flat {
    /// The one kind of credentials that the keys and the URLs make.
    fn settle(self, from_url: Option<(String, Secret)>) -> Result<Auth, Contradiction> {
        const KINDS: &[&str] = &["api_key", "api_key_file", "bearer_token", "bearer_token_file", "username"];
        match (self.username, self.password, self.api_key, self.bearer_token, from_url) {
            (None, None, None, None, None) => Ok(Auth::None),
            (Some(username), Some(password), None, None, None) => Ok(Auth::Basic { username, password }),
            (None, None, Some(key), None, None) => Ok(Auth::ApiKey(key)),
            (None, None, None, Some(token), None) => Ok(Auth::Bearer(token)),
            (None, None, None, None, Some((username, password))) => Ok(Auth::Basic { username, password }),
            (Some(_), None, None, None, None) => {
                Err((&["username"], "has no password; set password or password_file"))
            }
            (None, Some(_), None, None, None) => {
                Err((&["password", "password_file"], "has no user; set username"))
            }
            (.., Some(_)) => {
                Err((&["hosts"], "a URL holds a user and other keys hold credentials too; keep one"))
            }
            _ => Err((
                KINDS,
                "there are two kinds of credentials; keep one of username with password, api_key and bearer_token",
            )),
        }
    }
}

/// Takes user and password out of every URL; they have to be the same in all that have them.
fn take_user_information(hosts: &mut [Url]) -> Result<Option<(String, Secret)>, Contradiction> {
    let mut found = None;
    for host in hosts {
        let Some(taken) = take(host) else { continue };
        if found.as_ref().is_some_and(|found| *found != taken) {
            return Err((&["hosts"], "the URLs hold different users; give one with username and password"));
        }
        found = Some(taken);
    }
    if found.as_ref().is_some_and(|(user, password)| user.is_empty() || password.expose().is_empty()) {
        return Err((&["hosts"], "a URL holds half of user and password; set username and password instead"));
    }
    Ok(found)
}

fn take(host: &mut Url) -> Option<(String, Secret)> {
    if host.username().is_empty() && host.password().is_none() {
        return None;
    }
    let taken = (decode(host.username()), Secret::new(decode(host.password().unwrap_or_default())));
    // Neither can fail for a URL that has a host, which http and https require.
    (host.set_username("").is_ok() && host.set_password(None).is_ok()).then_some(taken)
}

/// Undoes `%40` and the like. A form's decoder does just that, but for the plus sign, which is none here.
fn decode(part: &str) -> String {
    let form = part.replace('+', "%2B");
    url::form_urlencoded::parse(form.as_bytes())
        .next()
        .map_or_else(String::new, |(name, _)| name.into_owned())
}
