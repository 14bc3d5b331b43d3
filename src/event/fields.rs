//! An event's fields: in order, each name once, the last value of a repeated name.

use std::collections::{HashMap, HashSet};

use super::legal::legal;
use super::marks::Marks;
use super::{Name, Value, words};

/// A name and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Field<'a> {
    /// A legal name.
    pub name: Name<'a>,
    /// Its value.
    pub value: Value<'a>,
}

/// Up to this many fields a repeated name is found by comparing all; beyond, with a table.
const FEW: usize = 32;

/// Whether two names are the same.
#[inline]
fn same(a: &str, b: &str) -> bool {
    words::same(a.as_bytes(), b.as_bytes())
}

/// Above this many fields an allocation is not kept for the next event.
const KEPT: usize = 2_048;

/// The fields of one event, in the order in which they came.
#[derive(Debug, Default)]
pub struct Fields<'a> {
    list: Vec<Field<'a>>,
    /// The marks of all names that are there, and of some that were.
    marks: Marks,
    /// Whether a name may be there twice. It is told while names are pushed, so that fields of which each is there once, as
    /// nearly always, are settled by not looking at them.
    repeats: bool,
    /// See [`Fields::object`].
    object: &'a str,
}

impl<'a> Fields<'a> {
    /// No fields, in the allocation of an event that is done with; the lifetimes need not be related.
    pub fn reuse(done: Fields<'_>) -> Self {
        let mut list = done.list;
        list.clear();
        if list.capacity() > KEPT {
            return Self::default();
        }
        // The collect works in place: an empty iterator over a vector of the same layout keeps the allocation.
        #[expect(
            clippy::unnecessary_filter_map,
            reason = "the item's lifetime changes, which `filter` cannot do"
        )]
        let list = list.into_iter().filter_map(|_| None).collect();
        Self { list, ..Self::default() }
    }

    /// No fields, and of an allocation for very many nothing is kept: for whoever will wait.
    pub(crate) fn shrunk(self) -> Self {
        if self.list.capacity() > 4 * FEW { Self::default() } else { self }
    }

    /// The compact JSON object without an escape that was read last into fields, which are slices of it; else empty.
    #[inline]
    pub(crate) fn object(&self) -> &'a str {
        self.object
    }

    /// Says which it is.
    pub(crate) fn set_object(&mut self, object: &'a str) {
        self.object = object;
    }

    /// Notes a name that will be there.
    #[inline]
    fn note(&mut self, name: &str) {
        if self.marks.set(name) {
            self.note_marked(name);
        }
    }

    /// The same of one whose mark is set: by itself, or by another name. Among many, all are looked at once, later.
    #[cold]
    fn note_marked(&mut self, name: &str) {
        self.repeats |= self.list.len() > FEW || self.list.iter().any(|field| same(&field.name, name));
    }

    /// Appends without looking for the same name; `Fields::settle` has to follow.
    pub fn push(&mut self, name: Name<'a>, value: Value<'a>) {
        self.note(&name);
        self.list.push(Field { name, value });
    }

    /// As [`Fields::push`], with the value, which is null, to be written where it is answered: it is built in its place, for a
    /// field that is built elsewhere and moved there costs more than reading it does.
    #[inline]
    pub(crate) fn push_read(&mut self, name: Name<'a>) -> &mut Value<'a> {
        const EMPTY: Field<'static> = Field { name: Name::constant(""), value: Value::Null };
        self.note(&name);
        let field = self.list.push_mut(EMPTY);
        field.name = name;
        &mut field.value
    }

    /// As [`Fields::push`], without a call.
    #[inline]
    pub(crate) fn push_both(&mut self, name: Name<'a>, value: Value<'a>) {
        self.note(&name);
        self.list.push(Field { name, value });
    }

    /// Keeps the last of each name that was pushed more than once.
    pub(crate) fn settle(&mut self) {
        self.settle_from(0);
    }

    /// As [`Fields::settle`], where the names before index `from` are known to be there once.
    fn settle_from(&mut self, from: usize) {
        if !std::mem::take(&mut self.repeats) {
            return;
        }
        if self.list.len() <= FEW { self.settle_few(from) } else { self.settle_many() }
    }

    fn settle_few(&mut self, from: usize) {
        let mut index = from;
        while let Some(field) = self.list.get(index) {
            let before = self.list.get(from..index).unwrap_or_default();
            match before.iter().position(|other| same(&other.name, &field.name)) {
                // What follows moves down to this index.
                Some(earlier) => drop(self.list.remove(from + earlier)),
                None => index += 1,
            }
        }
    }

    fn settle_many(&mut self) {
        let mut last = HashMap::with_capacity(self.list.len());
        for (index, field) in self.list.iter().enumerate() {
            last.insert(field.name.as_ref(), index);
        }
        if last.len() == self.list.len() {
            return;
        }
        let mut keep: Vec<bool> = self
            .list
            .iter()
            .enumerate()
            .map(|(index, field)| last.get(field.name.as_ref()) == Some(&index))
            .collect();
        let mut kept = keep.drain(..);
        self.list.retain(|_| kept.next().unwrap_or(true));
    }

    /// Settles names that were pushed from index `from` on, beside those that were there before: the last of a
    /// repeated new name wins, and one that an old field has is kept as `prefix.name`, so that neither value is lost.
    pub(crate) fn settle_beside(&mut self, from: usize, prefix: &str) {
        if !self.repeats {
            return;
        }
        let from = from.min(self.list.len());
        let (old, new) = self.list.split_at_mut(from);
        // Docker gives a record four fields and some labels, so looking through the old ones beats a table.
        let many = (old.len() > FEW).then(|| old.iter().map(|field| field.name.as_ref()).collect());
        let is_taken = |name: &str| match &many {
            Some(names) => HashSet::<&str>::contains(names, name),
            None => old.iter().any(|field| same(&field.name, name)),
        };
        for field in new {
            if is_taken(&field.name) {
                field.name = free(beside(prefix, &field.name), is_taken);
                self.marks.set(&field.name);
            }
        }
        self.settle_from(from);
    }

    /// `name`, or a longer one where a field has it.
    pub(crate) fn free_name<'n>(&self, name: Name<'n>) -> Name<'n> {
        free(name, |name| self.get(name).is_some())
    }

    /// Gives `name` a value: in the place of the old one, or at the end.
    pub fn set(&mut self, name: Name<'a>, value: Value<'a>) {
        match self.list.iter_mut().find(|field| field.name == name) {
            Some(field) => field.value = value,
            None => self.push(name, value),
        }
    }

    /// Adds a field under `name`, or under `prefix.name` where the name is taken, so that neither value is lost.
    pub fn add_beside(&mut self, prefix: &str, name: Name<'a>, value: Value<'a>) {
        if self.get(&name).is_none() {
            self.push(name, value);
        } else {
            self.push(self.free_name(beside(prefix, &name)), value);
        }
    }

    /// The value of `name`. Most names that are not there are told without a call.
    #[inline]
    pub fn get(&self, name: &str) -> Option<&Value<'a>> {
        if self.marks.has(name) { self.get_marked(name) } else { None }
    }

    fn get_marked(&self, name: &str) -> Option<&Value<'a>> {
        self.list.iter().find(|field| same(&field.name, name)).map(|field| &field.value)
    }

    /// The value of `name`, to be changed.
    pub(crate) fn value_mut(&mut self, name: &str) -> Option<&mut Value<'a>> {
        let index = self.position(name)?;
        self.list.get_mut(index).map(|field| &mut field.value)
    }

    /// The text of `name`, where it is one.
    pub fn text(&self, name: &str) -> Option<&[u8]> {
        self.get(name).and_then(Value::as_text)
    }

    /// Gives the field `from` the name `to`, which no other has.
    pub(crate) fn rename(&mut self, from: &str, to: Name<'a>) {
        if let Some(index) = self.position(from) {
            self.rename_at(index, to);
        }
    }

    /// Gives the field at `index` a name that no other has.
    #[inline]
    pub(crate) fn rename_at(&mut self, index: usize, to: Name<'a>) {
        self.marks.set(&to);
        if let Some(field) = self.list.get_mut(index) {
            field.name = to;
        }
    }

    /// Whether the field at `index` is called `name`.
    pub(crate) fn is_at(&self, index: usize, name: &str) -> bool {
        self.list.get(index).is_some_and(|field| same(&field.name, name))
    }

    /// The field at `index`.
    pub(crate) fn at(&self, index: usize) -> Option<&Field<'a>> {
        self.list.get(index)
    }

    /// Gives the field at `index` a name that no other has, and a value.
    pub(crate) fn replace(&mut self, index: usize, name: Name<'a>, value: Value<'a>) {
        self.marks.set(&name);
        if let Some(field) = self.list.get_mut(index) {
            *field = Field { name, value };
        }
    }

    /// The same where another may have the name; `Fields::settle` has to follow.
    pub(crate) fn replace_unsettled(&mut self, index: usize, name: Name<'a>, value: Value<'a>) {
        self.note(&name);
        self.replace(index, name, value);
    }

    /// Takes the field at `index` out.
    pub(crate) fn remove_at(&mut self, index: usize) {
        if index < self.list.len() {
            self.list.remove(index);
        }
    }

    /// Takes `name` out.
    pub fn remove(&mut self, name: &str) -> Option<Value<'a>> {
        let index = self.position(name)?;
        Some(self.list.remove(index).value)
    }

    /// Takes out the line, at `index`, in whose place its own fields will be; of the few others the marks are made anew, so
    /// that its name is not looked for among all those. It can be put back.
    pub(crate) fn take_line(&mut self, index: usize) {
        self.remove_at(index);
        if self.list.len() <= FEW {
            self.marks = Marks::default();
            for field in &self.list {
                self.marks.set(&field.name);
            }
        }
    }

    /// Puts a field where one was taken out.
    pub(crate) fn put_back(&mut self, index: usize, name: Name<'a>, value: Value<'a>) {
        self.marks.set(&name);
        self.list.insert(index.min(self.list.len()), Field { name, value });
    }

    /// Puts what was pushed from index `from` on in the place of the field at `place`, which goes.
    pub(crate) fn spread(&mut self, place: usize, from: usize) {
        let count = self.list.len().saturating_sub(from);
        if let Some(behind) = self.list.get_mut(place..).filter(|behind| behind.len() > count) {
            behind.rotate_right(count);
            self.list.remove(place + count);
        }
    }

    /// Where `name` is.
    #[inline]
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        if self.marks.has(name) { self.position_marked(name) } else { None }
    }

    fn position_marked(&self, name: &str) -> Option<usize> {
        self.list.iter().position(|field| same(&field.name, name))
    }

    /// Takes back what was pushed beyond the first `length`.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.list.truncate(length);
        self.object = "";
    }

    /// The fields that `keep` says yes to stay.
    pub fn retain(&mut self, mut keep: impl FnMut(&str) -> bool) {
        if self.list.len() > FEW {
            return self.list.retain(|field| keep(&field.name));
        }
        // Of few, moving those behind each that goes costs less than moving them one by one.
        let mut from = 0;
        let mut is_out = |field: &Field<'_>| !keep(&field.name);
        while let Some(at) = self.list.get(from..).and_then(|rest| rest.iter().position(&mut is_out)) {
            from += at;
            self.list.remove(from);
        }
    }

    /// Takes out the fields at all `places`: a bit for each, the lowest for the first. All that stay are moved once.
    pub(crate) fn remove_places(&mut self, mut places: u64) {
        if places != 0 {
            self.list.retain(|_| {
                let stays = places & 1 == 0;
                places >>= 1;
                stays
            });
        }
    }

    /// Takes out those that are meant, in order. What is not asked for stays.
    pub(crate) fn extract(
        &mut self,
        is_meant: impl FnMut(&Field<'a>) -> bool,
    ) -> impl Iterator<Item = Field<'a>> {
        let mut is_meant = is_meant;
        self.list.extract_if(.., move |field| is_meant(field))
    }

    /// All, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Field<'a>> {
        self.list.iter()
    }

    /// All names with their values, in order; the values can be changed.
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = (&str, &mut Value<'a>)> {
        self.list.iter_mut().map(|field| (field.name.as_ref(), &mut field.value))
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

impl PartialEq for Fields<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.list == other.list
    }
}

fn beside(prefix: &str, name: &str) -> Name<'static> {
    legal(format!("{prefix}.{name}"), 1)
}

fn free(mut name: Name<'_>, is_taken: impl Fn(&str) -> bool) -> Name<'_> {
    while is_taken(&name) {
        name = name.longer();
    }
    name
}

#[cfg(test)]
mod tests;
