//! The way of events through filters and matches: in order, up to the first match; into labels, and back to the start with
//! another tag. What is on the way to one end is a leg.

use std::collections::BTreeMap;

use super::filter;
use super::output::{self, Target, Traces};
use super::prefer;
use super::rewrite;
use crate::import::draft::{Draft, Effect, End, Filter, Leg};
use crate::import::line;
use crate::import::pattern::{covers, is_one, over_dots, overlaps};
use crate::import::section::Section;
use crate::import::words::quote;

/// Labels that lead to one another: more is a circle.
const DEEPEST: usize = 16;
/// Legs in all: labels that fork at each step would double them.
const MOST: usize = 4_096;

/// The directives of each label; those outside of all are that of no name.
pub(super) type Labels = BTreeMap<String, Vec<Section>>;

/// Makes legs of what begins at each of `starts`; without any, at the top.
pub(super) fn walk(labels: &Labels, starts: &[Option<String>], draft: &mut Draft) {
    let top = [None];
    let starts = if starts.is_empty() { &top } else { starts };
    if starts.len() > 1 {
        let why =
            "events of all sources go the same way, by their tags alone: the first way for a tag is taken";
        draft.leave("<source> @label", why);
    }
    for start in starts {
        let name = start.clone().unwrap_or_default();
        Walk { labels, name, prefix: String::new(), past: &[], depth: 0, draft }.route("**", &[]);
    }
}

/// One label on the way.
struct Walk<'w> {
    labels: &'w Labels,
    name: String,
    /// What is taken off the tags before patterns look at them, with its dot.
    prefix: String,
    /// Matches that have sent the events back to the start.
    past: &'w [&'w Section],
    depth: usize,
    draft: &'w mut Draft,
}

impl Walk<'_> {
    fn route(&mut self, scope: &str, before: &[Filter]) {
        let Some(route) = self.labels.get(&self.name).filter(|_| self.depth < DEEPEST) else {
            self.draft
                .leave(format!("@label {}", self.name), "there is no such label, or it leads to itself");
            return;
        };
        let mut filters = before.to_vec();
        for (at, directive) in route.iter().enumerate() {
            if self.past.iter().any(|past| std::ptr::eq(*past, directive)) {
                continue;
            }
            let Some(pattern) = self.pattern(directive) else { continue };
            if !overlaps(scope, &pattern) || self.draft.legs.len() > MOST {
                continue;
            }
            match directive.name.as_str() {
                "filter" => {
                    let behind = route.get(at..).unwrap_or_default();
                    self.tell_unmatched(directive, &pattern, behind);
                    filters.extend(filter::read(directive, pattern, self.draft));
                }
                _ => self.end(directive, &narrower(scope, pattern), &filters),
            }
        }
    }

    /// A filter of events that are thrown away is in no pipeline.
    fn tell_unmatched(&mut self, filter: &Section, pattern: &str, behind: &[Section]) {
        let is_ending = |directive: &&Section| directive.name == "match";
        let ends: Vec<String> = behind.iter().filter(is_ending).filter_map(|end| self.pattern(end)).collect();
        if !ends.iter().any(|end| overlaps(pattern, end)) {
            self.draft.leave(filter.from(), "no <match> behind it takes events of its tags");
        }
    }

    /// The pattern of a directive, if Forebay knows such ones.
    fn pattern(&mut self, directive: &Section) -> Option<String> {
        let pattern = if directive.argument.is_empty() { "**" } else { directive.argument.as_str() };
        let is_known = is_one(pattern) && !pattern.contains("#{") && !pattern.starts_with('/');
        if !is_known {
            self.draft.leave(directive.from(), "its pattern is none of `*`, `**` and `{a,b}`");
        }
        let prefixed = |one: String| format!("{}{one}", self.prefix);
        let spread = |one| over_dots(one, "**").split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        is_known
            .then(|| pattern.split_whitespace().flat_map(spread).map(prefixed).collect::<Vec<_>>().join(" "))
    }

    /// What a match makes of the events that come to it.
    fn end(&mut self, directive: &Section, scope: &str, filters: &[Filter]) {
        match output::read(directive, self.draft) {
            Target::End(end) => self.leg(scope, filters.to_vec(), end, directive.from()),
            Target::Labels(names, Some(end)) if prefer::are_nowhere(self.labels, &self.name, &names) => {
                self.leg(scope, filters.to_vec(), end, directive.from());
            }
            Target::Labels(names, _) => {
                let name = self.choose(&self.name.clone(), names, &directive.from());
                let depth = self.depth + 1;
                let Self { labels, past, .. } = *self;
                let prefix = self.prefix.clone();
                Walk { labels, name, prefix, past, depth, draft: self.draft }.route(scope, filters);
            }
            Target::Traces(traces) => self.traces(traces, directive, scope, filters),
            Target::Retag(rewriter) => self.retag(rewriter, scope, filters),
        }
    }

    /// The label that events go on at; the others are told.
    fn choose(&mut self, here: &str, names: Vec<String>, by: &str) -> String {
        let chosen = prefer::prefer(self.labels, here, &names).unwrap_or_default();
        for other in names.iter().filter(|name| **name != chosen) {
            self.draft.leave(by, format!("an event goes one way, to `{chosen}`: `{other}` is not followed"));
        }
        chosen
    }

    /// Events go on with their traces joined, from the start again as a rule, where that match no longer takes them.
    fn traces(&mut self, traces: Traces, directive: &Section, scope: &str, filters: &[Filter]) {
        let joining = Filter {
            pattern: scope.to_owned(),
            effects: vec![Effect::Multiline(quote("traces"))],
            from: directive.from(),
        };
        let filters: Vec<_> = filters.iter().cloned().chain(Some(joining)).collect();
        let mut prefix = self.prefix.clone();
        if !traces.prefix.is_empty() {
            prefix.push_str(&traces.prefix);
            prefix.push('.');
        }
        let past: Vec<&Section> = self.past.iter().copied().chain(Some(directive)).collect();
        let name = traces.label.unwrap_or_default();
        let (labels, depth) = (self.labels, self.depth + 1);
        Walk { labels, name, prefix, past: &past, depth, draft: self.draft }.route(scope, &filters);
    }

    fn leg(&mut self, pattern: &str, filters: Vec<Filter>, end: End, from: String) {
        self.draft.legs.push(Leg { pattern: pattern.to_owned(), filters, end, from });
    }

    /// Events get another tag, and go to where that tag goes. Steps have no way back to the start, so that filters for
    /// the new tag are told.
    fn retag(&mut self, rewriter: Section, scope: &str, filters: &[Filter]) {
        let from = rewriter.from();
        let label = rewriter.value("@label").map_or_else(|| self.name.clone(), str::to_owned);
        let mut rules = rewrite::rules(rewriter, self.draft);
        let mut end = End::default();
        for rule in &mut rules {
            let Some(tag) = &rule.tag else { continue };
            let Some(found) = self.goes_to(&label, tag, &from, 0) else { continue };
            rule.index = found.index.as_ref().map(|(index, _)| index.clone());
            end.tag_field = end.tag_field.take().or(found.tag_field);
        }
        let effects = crate::import::retag::steps(&rules, true);
        let noted = line::noted(from.clone(), &effects);
        let rewriting = Filter { pattern: scope.to_owned(), effects, from: noted };
        let filters = filters.iter().cloned().chain(Some(rewriting)).collect();
        self.leg(scope, filters, end, from);
    }

    /// Where the events of `tag` end, if the tag is known.
    fn goes_to(&mut self, label: &str, tag: &str, by: &str, depth: usize) -> Option<End> {
        if tag.contains('{') {
            self.draft.leave(by, format!("what filters and matches do to the tag `{tag}` is not applied"));
            return None;
        }
        for directive in self.labels.get(label).filter(|_| depth < DEEPEST)? {
            let pattern = if directive.argument.is_empty() { "**" } else { directive.argument.as_str() };
            if !is_one(pattern) || !covers(pattern, tag) {
                continue;
            }
            if directive.name == "filter" {
                let why = format!("it is not applied to events that get the tag `{tag}` by a rule");
                self.draft.leave(directive.from(), why);
                continue;
            }
            return match output::read(directive, self.draft) {
                Target::End(end) => Some(end),
                Target::Labels(names, Some(end)) if prefer::are_nowhere(self.labels, label, &names) => {
                    Some(end)
                }
                Target::Labels(names, _) => {
                    let name = self.choose(label, names, &directive.from());
                    self.goes_to(&name, tag, by, depth + 1)
                }
                Target::Retag(_) | Target::Traces(_) => None,
            };
        }
        None
    }
}

/// What both patterns take, as far as a pattern can say it.
fn narrower(scope: &str, pattern: String) -> String {
    if covers(&pattern, scope) { scope.to_owned() } else { pattern }
}
