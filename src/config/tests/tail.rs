//! `[[tail]]`: what could not take effect, or would mix lines of two files, is refused.

use super::*;

#[test]
fn a_table_that_names_no_files_or_names_them_badly_is_refused_with_what_would_do() {
    for (keys, told) in [
        ("", "tail[0].paths: is missing"),
        ("paths = []", "names no file"),
        ("paths = [\"app.log\"]", "has to begin with /"),
        ("paths = [\"/var/log/**\"]", "/var/log/**/*"),
        ("paths = [\"/a\"]\nexclude = [\"[a\"]", "tail[0].exclude"),
        ("paths = [\"/a\"]\ntag = \"{host}\"", "{name} and {path}"),
        ("paths = [\"/a\"]\npath_field = \"log\"", "choose another name"),
        ("paths = [\"/a\"]\nstart = \"middle\"", "\"beginning\", \"end\""),
        ("paths = [\"/a\"]\nencoding = \"ebcdic\"", "\"utf-16le\""),
    ] {
        let fault = only_fault(&format!("[[tail]]\n{keys}\n"));
        assert!(fault.contains(told), "{keys}: {fault}");
    }
}

#[test]
fn without_the_field_of_its_path_a_file_has_to_be_told_by_its_tag() {
    let fault = only_fault("[[tail]]\npaths = [\"/a\"]\npath_field = \"\"\n");
    assert!(fault.contains("{path}"), "{fault}");
    let config =
        from_file("[[tail]]\npaths = [\"/a\"]\npath_field = \"\"\ntag = \"x.{path}\"\n").expect("told");
    assert_eq!(config.path_fields(), [""; 0]);
}
