//! `kubernetes`: pod, namespace and container, from the name of the file that the kubelet writes a container's lines to, as
//! collectors put it into the tag or a field.
//!
//! Two forms are known, as a path or, with dots for its slashes, as a tag:
//! `/var/log/containers/POD_NAMESPACE_CONTAINER-ID.log` and `/var/log/pods/NAMESPACE_POD_UID/CONTAINER/N.log`. Any other text
//! adds nothing. A field that the event has already is left as it is, and the one from the name, where it says something else, is
//! kept as `forebay.NAME`.

use bumpalo::Bump;

use crate::enrich::place;
use crate::enrich::template::Template;
use crate::event::{Event, Value};

/// See the module.
#[derive(Debug)]
pub(super) struct Kubernetes(Template);

/// What a name says.
#[derive(Debug, Default, PartialEq)]
struct Found<'a> {
    namespace: &'a str,
    pod: &'a str,
    uid: Option<&'a str>,
    container: &'a str,
    id: Option<&'a str>,
}

impl Kubernetes {
    pub(super) fn new(template: &str, host: &str) -> Result<Self, String> {
        Template::new(template, host).map(Self)
    }

    #[inline(never)]
    pub(super) fn apply<'a>(&'a self, event: &mut Event<'a>, arena: &'a Bump) {
        let text = self.0.text(event, arena).and_then(|text| str::from_utf8(text).ok());
        for (name, value) in text.into_iter().flat_map(|text| fields(text).into_iter().flatten()) {
            let is_there = event.fields.text(name).is_some_and(|there| there == value.as_bytes());
            if !is_there {
                place::add(event, name.into(), Value::Text(value.as_bytes()));
            }
        }
    }
}

/// What `text` says, as fields; nothing where it is no such name.
pub(crate) fn fields(text: &str) -> Option<impl Iterator<Item = (&'static str, &str)>> {
    let found = find(text)?;
    let fields = [
        ("kubernetes.namespace", Some(found.namespace)),
        ("kubernetes.pod.name", Some(found.pod)),
        ("kubernetes.pod.uid", found.uid),
        ("kubernetes.container.name", Some(found.container)),
        ("container.id", found.id),
    ];
    Some(fields.into_iter().filter_map(|(name, value)| Some((name, value?))))
}

fn find(text: &str) -> Option<Found<'_>> {
    let behind = |folder: &str| text.rsplit_once(folder).map(|(_, file)| file);
    match behind("/containers/").or_else(|| behind(".containers.")) {
        Some(file) => of_containers(file),
        None => of_pods(behind("/pods/").or_else(|| behind(".pods."))?),
    }
}

fn of_containers(file: &str) -> Option<Found<'_>> {
    let (names, id) = file.strip_suffix(".log").unwrap_or(file).rsplit_once('-')?;
    let mut names = names.split('_');
    let (pod, namespace, container) = (names.next()?, names.next()?, names.next()?);
    let is_id = id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_id && names.next().is_none()).then_some(Found { namespace, pod, uid: None, container, id: Some(id) })
}

fn of_pods(file: &str) -> Option<Found<'_>> {
    let mut names = file.splitn(3, '_');
    let (namespace, pod, rest) = (names.next()?, names.next()?, names.next()?);
    let mut rest = rest.split(['/', '.']);
    let (uid, container, count) = (rest.next()?, rest.next()?, rest.next()?);
    let is_count = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
    is_count.then_some(Found { namespace, pod, uid: Some(uid), container, id: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn both_names_are_read_as_paths_and_as_tags() {
        let file = format!("web-7d9f.v2_shop_nginx-{ID}.log");
        let expected =
            Found { namespace: "shop", pod: "web-7d9f.v2", uid: None, container: "nginx", id: Some(ID) };
        for text in [
            format!("/var/log/containers/{file}"),
            format!("kubernetes.var.log.containers.{file}"),
            format!("kube.var.log.containers.{}", file.trim_end_matches(".log")),
        ] {
            assert_eq!(find(&text).as_ref(), Some(&expected), "{text}");
        }
        let uid = "5d2c1a6e-1f0b-4c6e-9f5e-0a1b2c3d4e5f";
        let expected =
            Found { namespace: "shop", pod: "web.v2-0", uid: Some(uid), container: "nginx", id: None };
        for text in [
            format!("/var/log/pods/shop_web.v2-0_{uid}/nginx/0.log"),
            format!("var.log.pods.shop_web.v2-0_{uid}.nginx.12.log"),
        ] {
            assert_eq!(find(&text).as_ref(), Some(&expected), "{text}");
        }
    }

    #[test]
    fn any_other_text_says_nothing() {
        for text in [
            "",
            "app.web",
            "/var/log/containers/",
            "/var/log/containers/a_b_c-0123.log",
            "/var/log/pods/a_b_c/d/x.log",
            "/var/log/pods/a_b",
            "var.log.pods.a_b_c.d",
        ] {
            assert_eq!(find(text), None, "{text}");
        }
        assert_eq!(find(&format!("/var/log/containers/a_b_c_d-{ID}.log")), None);
    }
}
