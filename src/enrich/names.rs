//! Lists of fields as configuration names them: `a.b`, and `http_*` for all that begin so.
//!
//! A name means the field and all that lies below it, since to Elasticsearch `a` holds `a.b`. What a list names inside of an
//! object is found there too: the object is spread first, see `path`.

use bumpalo::Bump;

use super::path::{self, Path};
use crate::event::Fields;

/// A list that was understood.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Names(Vec<Wanted>);

#[derive(Clone, Debug, PartialEq)]
enum Wanted {
    Path(Path),
    /// All that begin with the text, which, where it has a dot, stand in the object before the last one.
    Beginning(String, Option<Path>),
}

impl Names {
    /// Reads `names`, or says what is wrong with one.
    pub(crate) fn new(names: &[String]) -> Result<Self, String> {
        let one = |name: &String| match name.strip_suffix('*') {
            _ if name.is_empty() => Err("an empty name is no field's".to_owned()),
            Some(beginning) if beginning.contains('*') => Err(star(name)),
            Some(beginning) => {
                let object = beginning.rsplit_once('.').map(|(object, _)| Path::new(object));
                Ok(Wanted::Beginning(beginning.to_owned(), object))
            }
            None if name.contains('*') => Err(star(name)),
            None => Ok(Wanted::Path(Path::new(name))),
        };
        names.iter().map(one).collect::<Result<_, _>>().map(Self)
    }

    /// Whether `name` is meant.
    pub(crate) fn cover(&self, name: &str) -> bool {
        self.0.iter().any(|wanted| match wanted {
            Wanted::Path(path) => path.covers(name),
            Wanted::Beginning(beginning, _) => name.starts_with(beginning.as_str()),
        })
    }

    /// Takes out all that is meant.
    pub(crate) fn remove(&self, fields: &mut Fields<'_>) {
        match self.places(fields) {
            Some(places) => fields.remove_places(places),
            None => fields.retain(|name| !self.cover(name)),
        }
    }

    /// A bit for the place of each field that is meant, the lowest for the first; none where there are too many for that.
    fn places(&self, fields: &Fields<'_>) -> Option<u64> {
        let mut places = 0;
        for wanted in &self.0 {
            let Wanted::Path(path) = wanted else { return None };
            places |= fields.position(path.name()).map_or(0, |place| 1_u64.unbounded_shl(place as u32));
        }
        let list = fields.iter().as_slice();
        // What lies below a name has a dot, as plain names have not.
        let others = list.iter().enumerate().filter(|(_, field)| !field.name.is_plain());
        for (place, field) in others {
            places |= 1_u64.unbounded_shl(place as u32) * u64::from(self.cover(&field.name));
        }
        (list.len() <= 64).then_some(places)
    }

    /// Makes fields of all that is meant inside of objects.
    pub(crate) fn reach<'a>(&self, fields: &mut Fields<'a>, arena: &'a Bump) {
        for wanted in &self.0 {
            match wanted {
                Wanted::Path(path) => path.open(fields, arena),
                Wanted::Beginning(_, Some(object)) => {
                    object.open(fields, arena);
                    path::spread(fields, object.name(), arena);
                }
                Wanted::Beginning(_, None) => (),
            }
        }
    }

    /// The paths, of which none may be a beginning.
    pub(crate) fn paths(names: &[String]) -> Result<Vec<Path>, String> {
        names
            .iter()
            .map(|name| match name.as_str() {
                "" => Err("an empty name is no field's".to_owned()),
                name if name.contains('*') => Err(format!("`{name}` has a `*`, which is not taken here")),
                name => Ok(Path::new(name)),
            })
            .collect()
    }
}

fn star(name: &str) -> String {
    format!("`{name}` has a `*` that is not at its end")
}
