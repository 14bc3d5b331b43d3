//! `user_agent`: the browser, the operating system and the device that a user agent names, as the Elastic Common Schema has them.
//!
//! The agent stays as `TARGET.original`: where it was the field `TARGET` itself, as formats without a schema have it, it is moved
//! there even if nothing is known of it, so that an index never sees a text and an object under one name. Fields that the event
//! has already are left as they are, and the new ones are kept as `forebay.NAME`.

use bumpalo::Bump;

use super::options::UserAgentOptions;
use crate::enrich::agents::{Agents, NAMES};
use crate::enrich::path::Path;
use crate::enrich::view;
use crate::event::{Event, Value};

/// Where formats put the agent, in both schemas.
const USUAL: [&str; 2] = ["user_agent.original", "user_agent"];

/// See the module.
#[derive(Debug)]
pub(super) struct UserAgent {
    /// Where the agent is looked for, in this order.
    from: Vec<Path>,
    target: Path,
    original: Path,
    names: [Path; NAMES.len()],
    agents: Agents,
}

impl UserAgent {
    pub(super) fn new(options: &UserAgentOptions) -> Result<Self, String> {
        let target = super::field(&options.target).map_err(|fault| format!("target: {fault}"))?;
        let from = match options.field.as_deref() {
            Some(name) => vec![super::field(name).map_err(|fault| format!("field: {fault}"))?],
            None => USUAL.map(Path::new).to_vec(),
        };
        let below = |name: &str| Path::new(&format!("{}.{name}", target.name()));
        Ok(Self {
            from,
            original: below("original"),
            names: NAMES.map(below),
            target,
            agents: Agents::new()?,
        })
    }

    #[inline(never)]
    pub(super) fn apply<'a>(&'a self, event: &mut Event<'a>, arena: &'a Bump) {
        let text = |path: &'a Path| Some((path, view::text(&path.get(&event.fields)?, arena)?));
        let Some((path, agent)) = self.from.iter().find_map(text) else { return };
        if path.covers(self.target.name())
            && let Some(value) = path.take(&mut event.fields, arena)
        {
            event.fields.add_beside("forebay", self.original.field(), value);
        }
        let Ok(agent) = str::from_utf8(agent) else { return };
        let found = self.agents.find(agent);
        for (name, value) in self.names.iter().zip(found.iter()) {
            if let Some(value) = value {
                let value = Value::Text(arena.alloc_str(value).as_bytes());
                event.fields.add_beside("forebay", name.field(), value);
            }
        }
    }
}
