//! Containers of Kubernetes, from the names of the files that the kubelet writes their lines to.

use std::path::Path;

use super::Identity;
use crate::enrich::steps::kubernetes_fields;
use crate::input::file::Fixed;

/// The container whose file is at `path`; the folders before `/var/log` do not count, so that a copy says the same.
pub(super) fn of(path: &Path) -> Option<Identity> {
    let path = path.to_str()?;
    let fields = kubernetes_fields(path)?;
    let start = ["/pods/", "/containers/"].iter().filter_map(|folder| path.rfind(folder)).max()?;
    let file = unrotated(path.get(start + 1..)?);
    let mut fixed = Fixed::default();
    fields.for_each(|(name, text)| fixed.text(name, text));
    let tag = format!("kubernetes.var.log.{}", file.replace('/', "."));
    Some(Identity { tag, fixed, ..Identity::default() })
}

/// What the kubelet calls the file before it rotates it.
fn unrotated(file: &str) -> &str {
    let log = file.rfind('/').and_then(|name| Some(name + file.get(name..)?.find(".log")? + ".log".len()));
    log.and_then(|end| file.get(..end)).unwrap_or(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_a_pod_says_whose_it_is_wherever_it_was_copied_to() {
        let uid = "5d2c1a6e-1f0b-4c6e-9f5e-0a1b2c3d4e5f";
        let mut fixed = Fixed::default();
        for (name, text) in [
            ("kubernetes.namespace", "shop"),
            ("kubernetes.pod.name", "web.v2-0"),
            ("kubernetes.pod.uid", uid),
            ("kubernetes.container.name", "nginx"),
        ] {
            fixed.text(name, text);
        }
        let tag = format!("kubernetes.var.log.pods.shop_web.v2-0_{uid}.nginx.0.log");
        for path in [
            format!("/var/log/pods/shop_web.v2-0_{uid}/nginx/0.log"),
            format!("/backup/node-1/var/log/pods/shop_web.v2-0_{uid}/nginx/0.log.20260504-091231.gz"),
        ] {
            let told = Identity::of(Path::new(&path));
            assert_eq!((told.tag, told.fixed), (tag.clone(), fixed.clone()), "{path}");
        }
    }

    #[test]
    fn a_link_in_containers_says_the_container_s_id_too() {
        let id = "0123456789abcdef".repeat(4);
        let told = Identity::of(Path::new(&format!("/var/log/containers/web-0_shop_nginx-{id}.log")));
        assert_eq!(told.tag, format!("kubernetes.var.log.containers.web-0_shop_nginx-{id}.log"));
        let mut fixed = Fixed::default();
        for (name, text) in [
            ("kubernetes.namespace", "shop"),
            ("kubernetes.pod.name", "web-0"),
            ("kubernetes.container.name", "nginx"),
            ("container.id", &id),
        ] {
            fixed.text(name, text);
        }
        assert_eq!(told.fixed, fixed);
    }
}
