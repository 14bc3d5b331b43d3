//! Legs to pipelines. A pipeline is chosen by the first pattern that matches, where Fluentd and Fluent Bit take an event
//! through every filter whose pattern does: so a filter for some of a leg's tags gets a pipeline before the leg's own.

use super::draft::{Draft, Effect, End, Filter, Leg};
use super::passed;
use super::pattern::{covers, overlaps};

/// A pipeline: its pattern, the filters that its events pass, and where they go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pipeline {
    pub(super) pattern: String,
    pub(super) filters: Vec<Filter>,
    pub(super) end: End,
    pub(super) from: String,
}

/// The pipelines of all legs, in order; each is reached by some tags.
pub(super) fn pipelines(draft: &mut Draft) -> Vec<Pipeline> {
    let mut planned: Vec<Pipeline> = Vec::new();
    for leg in std::mem::take(&mut draft.legs) {
        for pattern in patterns(&leg) {
            if planned.iter().any(|before| covers(&before.pattern, &pattern)) {
                continue;
            }
            tell_partial(&leg, &pattern, draft);
            let passes = |filter: &&Filter| covers(&filter.pattern, &pattern);
            let filters = leg.filters.iter().filter(passes).cloned().collect();
            let mut pipeline = Pipeline { pattern, filters, end: leg.end.clone(), from: leg.from.clone() };
            let is_read = !pipeline.formats().is_empty();
            passed::settle(&mut pipeline.filters, is_read, draft);
            tell_read(&pipeline, draft);
            tell_zones(&pipeline, draft);
            planned.push(pipeline);
        }
    }
    planned
}

/// The patterns within a leg that differ in their filters, the narrower ones first, and its own.
fn patterns(leg: &Leg) -> Vec<String> {
    let mut patterns: Vec<String> = Vec::new();
    let within = leg.filters.iter().map(|filter| &filter.pattern);
    for pattern in within.filter(|pattern| covers(&leg.pattern, pattern) && !covers(pattern, &leg.pattern)) {
        if patterns.contains(pattern) {
            continue;
        }
        let at = patterns.iter().position(|other| covers(other, pattern)).unwrap_or(patterns.len());
        patterns.insert(at, pattern.clone());
    }
    patterns.push(leg.pattern.clone());
    patterns
}

/// A filter for tags of which some are a pipeline's, and some another's, is nobody's.
fn tell_partial(leg: &Leg, pattern: &str, draft: &mut Draft) {
    for filter in &leg.filters {
        let is_apart = covers(&filter.pattern, pattern) || covers(pattern, &filter.pattern);
        if !is_apart && overlaps(&filter.pattern, pattern) {
            let why =
                format!("it is not applied to tags that match `{pattern}` too: write a pipeline for those");
            draft.leave(filter.from.clone(), why);
        }
    }
}

/// A line that is read is no longer whole when the steps come to it, wherever the other program had the filter.
fn tell_read(pipeline: &Pipeline, draft: &mut Draft) {
    if pipeline.formats().is_empty() {
        return;
    }
    let names_line = |effect: &Effect| matches!(effect, Effect::Step(step) if step.names_line());
    for (filter, _) in pipeline.effects().filter(|(_, effect)| names_line(effect)) {
        let why = "a format reads the line before any step: `message` is what it leaves of it";
        draft.leave(filter.from.clone(), why);
    }
}

/// A pipeline has one zone.
fn tell_zones(pipeline: &Pipeline, draft: &mut Draft) {
    let Some((zone, _)) = pipeline.zone() else { return };
    for (filter, effect) in pipeline.effects() {
        if matches!(effect, Effect::Zone(other) if other != zone) {
            draft.leave(filter.from.clone(), format!("times of a pipeline are of one zone, here {zone}"));
        }
    }
}

impl Pipeline {
    /// The zone of times that name none, and where it came from.
    pub(super) fn zone(&self) -> Option<(&str, &str)> {
        self.effects().find_map(|(filter, effect)| match effect {
            Effect::Zone(zone) => Some((zone.as_str(), filter.from.as_str())),
            _ => None,
        })
    }

    /// The formats that lines have, with where that came from.
    pub(super) fn formats(&self) -> Vec<(&str, &str)> {
        let mut formats: Vec<(&str, &str)> = Vec::new();
        for (filter, effect) in self.effects() {
            if let Effect::Parse(format) = effect
                && !formats.iter().any(|(other, _)| other == format)
            {
                formats.push((format, &filter.from));
            }
        }
        formats
    }

    /// What is done, in order, and by which filter.
    pub(super) fn effects(&self) -> impl Iterator<Item = (&Filter, &Effect)> {
        self.filters.iter().flat_map(|filter| filter.effects.iter().map(move |effect| (filter, effect)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(pattern: &str) -> Filter {
        Filter { pattern: pattern.into(), effects: Vec::new(), from: pattern.into() }
    }

    fn plan(legs: &[(&str, &[&str])]) -> (Vec<(String, usize)>, usize) {
        let leg = |(pattern, filters): &(&str, &[&str])| Leg {
            pattern: (*pattern).into(),
            filters: filters.iter().map(|pattern| filter(pattern)).collect(),
            end: End::default(),
            from: String::new(),
        };
        let mut draft = Draft { legs: legs.iter().map(leg).collect(), ..Draft::default() };
        let planned = pipelines(&mut draft);
        let planned =
            planned.into_iter().map(|pipeline| (pipeline.pattern, pipeline.filters.len())).collect();
        (planned, draft.left.len())
    }

    #[test]
    fn a_filter_for_some_tags_gets_a_pipeline_before_the_others() {
        let (planned, left) = plan(&[("**", &["**", "app.**", "app.web", "db"])]);
        let expected = [("app.web", 3), ("app.**", 2), ("db", 2), ("**", 1)];
        assert_eq!(planned, expected.map(|(pattern, filters)| (pattern.to_owned(), filters)));
        assert_eq!(left, 0);
    }

    #[test]
    fn what_is_never_reached_is_left_out_and_a_filter_across_is_told() {
        let (planned, left) = plan(&[("app.**", &["**.error"]), ("app.web", &[]), ("**", &[])]);
        assert_eq!(planned, [("app.**".to_owned(), 0), ("**".to_owned(), 0)]);
        assert_eq!(left, 1);
    }
}
