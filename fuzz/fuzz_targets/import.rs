//! Configurations of Fluentd and of Fluent Bit, classic and YAML: the first byte says which file holds it.
//!
//! - No text panics or takes for ever.
//! - What is printed is read by Forebay's own configuration without a fault, but for files that it names and this host lacks.
//! - The same text is carried over in the same way again.
//! - What could not be carried is told in the text as it is told beside it.
#![no_main]

use std::path::Path;

use forebay::{config, import};

libfuzzer_sys::fuzz_target!(|input: (u8, &str)| {
    let (which, text) = input;
    // A folder that is not there: no file of this host is included.
    let file = Path::new(match which % 3 {
        0 => "/nowhere/fluent.conf",
        1 => "/nowhere/fluent-bit.conf",
        _ => "/nowhere/fluent-bit.yaml",
    });
    let Ok(imported) = import::import(text, file) else { return };
    assert_eq!(import::import(text, file).as_ref(), Ok(&imported));
    let told = imported.text.lines().filter(|line| line.starts_with("#   ")).count();
    assert_eq!(told, imported.left.len(), "{}", imported.text);
    let read = config::read(&imported.text, "printed");
    let faults = read.as_ref().err().into_iter().flat_map(config::Faults::iter);
    let faults: Vec<_> = faults.filter(|fault| !fault.is_of_this_host()).map(ToString::to_string).collect();
    assert!(faults.is_empty(), "{faults:#?}\n{}", imported.text);
});
