//! Which browser, operating system and device a user agent is, by the rules of uap-core (`agents/rules`).
//!
//! Promises: the rules are compiled once in the process, and only where they are asked for; no agent costs more than its first
//! [`LONGEST`] bytes do; what was found for the latest [`MOST`] agents is remembered, and the lock around it is never held while
//! rules are tried. What no rule knows is not there: there is no `Other`.

use std::sync::{Arc, LazyLock};

use ua_parser::{Extractor, Regexes};

use super::held::Held;

/// Bytes of an agent that are looked at: browsers have a few hundred, and rules take longer the more there are.
const LONGEST: usize = 2_048;

/// Agents that are remembered.
const MOST: usize = 1 << 14;

/// Bytes of a value, beyond which it is no name and no version, but an agent that wants to fill memory.
const LONGEST_VALUE: usize = 128;

/// What is said of an agent, in the order of [`Agent`].
pub(super) const NAMES: [&str; 5] = ["name", "version", "os.name", "os.version", "device.name"];

/// Values by [`NAMES`].
pub(super) type Agent = [Option<Box<str>>; NAMES.len()];

static RULES: LazyLock<Result<Extractor<'static>, String>> = LazyLock::new(|| {
    let rules: Regexes<'static> =
        serde_json::from_str(include_str!("agents/rules/regexes.json")).map_err(|error| error.to_string())?;
    Extractor::try_from(rules).map_err(|error| error.to_string())
});

/// See the module.
#[derive(Debug)]
pub(super) struct Agents {
    known: Held<Option<Arc<Agent>>>,
}

impl Agents {
    /// Compiles the rules, which takes about half a second, so that no event waits for it.
    pub(super) fn new() -> Result<Self, String> {
        match &*RULES {
            Ok(_) => Ok(Self { known: Held::new(MOST) }),
            Err(fault) => Err(format!("the rules of user agents cannot be compiled: {fault}")),
        }
    }

    /// What is known of `agent`.
    pub(super) fn find(&self, agent: &str) -> Arc<Agent> {
        let agent = agent.get(..agent.floor_char_boundary(LONGEST)).unwrap_or(agent);
        self.known.remembered(agent.as_bytes(), || look(agent))
    }
}

fn look(agent: &str) -> Agent {
    let Ok(rules) = &*RULES else { return Agent::default() };
    let (browser, system, device) = rules.extract(agent);
    let (name, version) = browser
        .map(|b| (b.family.into_owned(), joined([b.major, b.minor, b.patch, b.patch_minor])))
        .unwrap_or_default();
    let (system, system_version) = system
        .map(|s| {
            let parts = [&s.major, &s.minor, &s.patch, &s.patch_minor];
            (s.os.to_string(), joined(parts.map(|part| part.as_deref())))
        })
        .unwrap_or_default();
    let device = device.map(|device| device.device.into_owned()).unwrap_or_default();
    [name, version, system, system_version, device].map(kept)
}

/// `1.2.3` of as many parts as there are one after the other.
fn joined(parts: [Option<&str>; 4]) -> String {
    let given: Vec<&str> = parts.into_iter().map_while(|part| part.filter(|part| !part.is_empty())).collect();
    given.join(".")
}

fn kept(value: String) -> Option<Box<str>> {
    (1..=LONGEST_VALUE).contains(&value.len()).then(|| value.into_boxed_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(agent: &str) -> Vec<String> {
        let agents = Agents::new().expect("good rules");
        let once = agents.find(agent);
        let again = agents.find(agent);
        assert!(Arc::ptr_eq(&once, &again), "what was found is remembered");
        once.iter().map(|value| value.as_deref().unwrap_or("-").to_owned()).collect()
    }

    #[test]
    fn browsers_programs_and_crawlers_are_told() {
        for (agent, expected) in [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.6422.60 \
                 Safari/537.36 Edg/125.0.2535.51",
                ["Edge", "125.0.2535.51", "Windows", "10", "-"],
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 Version/17.4.1 Mobile/15E148 Safari/604.1",
                ["Mobile Safari", "17.4.1", "iOS", "17.4.1", "iPhone"],
            ),
            ("curl/8.5.0", ["curl", "8.5.0", "-", "-", "-"]),
            (
                "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
                ["Googlebot", "2.1", "-", "-", "Spider"],
            ),
            ("-", ["-"; 5]),
            ("", ["-"; 5]),
            ("my own program", ["-"; 5]),
        ] {
            assert_eq!(found(agent), expected, "{agent}");
        }
    }

    #[test]
    fn hostile_agents_cost_little_and_fill_no_memory() {
        let long = "Mozilla/5.0 (Linux; Android ".repeat(40_000);
        assert_eq!(found(&long).len(), NAMES.len());
        let umlauts = "ä".repeat(5_000);
        assert_eq!(found(&umlauts), ["-"; 5]);
        let stretched =
            format!("Mozilla/5.0 (Linux; Android 9; {} Build/X) AppleWebKit/537.36", "m".repeat(900));
        assert!(found(&stretched).iter().all(|value| value.len() <= LONGEST_VALUE));
    }
}
