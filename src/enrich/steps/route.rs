//! `route`: another index, another tag, or files in place of Elasticsearch.
//!
//! An index that is named by the tag follows it. The field that holds the tag does too, where it still does; in the books, and on
//! pages by tag, the event stays under the tag that it came with.

use std::borrow::Cow;
use std::sync::Arc;

use bumpalo::Bump;

use super::Surroundings;
use super::options::{RouteOptions, RouteOutput};
use crate::encode::Destination;
use crate::enrich::template::Template;
use crate::event::{Event, Value};

/// See the module.
#[derive(Debug)]
pub(super) struct Route {
    destination: Option<Destination>,
    tag: Option<Template>,
    tag_field: Option<String>,
}

impl Route {
    pub(super) fn new(options: &RouteOptions, around: &Surroundings<'_>) -> Result<Self, String> {
        let own = options.index.as_deref().map(str::parse).transpose();
        let own = own.map_err(|fault: crate::encode::IndexTemplateFault| format!("index: {fault}"))?;
        let tag = options.tag.as_deref().map(|tag| Template::new(tag, around.host)).transpose();
        let tag = tag.map_err(|fault| format!("tag: {fault}"))?;
        let destination = match options.output {
            Some(RouteOutput::File) if own.is_some() => return Err("files have no index".into()),
            Some(RouteOutput::File) => Some(Destination::of_files()),
            None if own.is_none() && tag.is_none() => return Err("has neither index, tag nor output".into()),
            Some(RouteOutput::Elasticsearch) | None => {
                let template = own.map(Arc::new).or_else(|| around.index.clone());
                template.map(|template| Destination::of_any_tag(template, around.fallback))
            }
        };
        Ok(Self { destination, tag, tag_field: around.tag_field.map(str::to_owned) })
    }

    #[inline(never)]
    pub(super) fn apply<'a>(&'a self, event: &mut Event<'a>, arena: &'a Bump) -> Option<&'a Destination> {
        if let Some(tag) = self.tag.as_ref().and_then(|tag| tag.text(event, arena)) {
            self.retag(event, tag, arena);
        }
        self.destination.as_ref()
    }

    fn retag<'a>(&self, event: &mut Event<'a>, tag: &'a [u8], arena: &'a Bump) {
        let tag = match String::from_utf8_lossy(tag) {
            Cow::Borrowed(tag) => tag,
            Cow::Owned(tag) => arena.alloc_str(&tag),
        };
        let before = std::mem::replace(&mut event.tag, tag);
        let field = self.tag_field.as_ref().and_then(|name| event.fields.value_mut(name));
        if let Some(value) = field.filter(|value| **value == Value::Text(before.as_bytes())) {
            *value = Value::Text(tag.as_bytes());
        }
    }
}
