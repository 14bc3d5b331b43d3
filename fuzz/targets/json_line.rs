#![no_main]
use forebay::event::Fields;
libfuzzer_sys::fuzz_target!(|line: &str| {
    let mut fields = Fields::default();
    let _ = forebay::parse::json_object(line, 1, &mut fields);
});
