//! A connection's bytes, cut anywhere, through the whole daemon but its sockets and its target.
//!
//! - Nothing panics, hangs, or leaves something behind in the buffer; every document is JSON on a line of its own.
//! - The books balance: what was received is delivered, a dead letter, or dropped.
//! - Where the bytes are cut changes nothing: documents, dead letters, acks and the end are those of the whole.
//!
//! Input: a byte that says how many cuts there are, two bytes for each, then the connection's bytes.
#![no_main]

use std::sync::LazyLock;

use forebay_fuzz::input::Input;
use forebay_fuzz::rig::Rig;

static RIG: LazyLock<std::sync::Mutex<Rig>> = LazyLock::new(Default::default);

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut input = Input(bytes);
    let count = input.byte() % 16;
    let cuts: Vec<usize> = (0..count).map(|_| input.short()).collect();
    let rig = RIG.lock().expect("one thread");
    let whole = rig.serve(input.0, &[]);
    let cut = rig.serve(input.0, &cuts);
    assert_eq!(cut, whole, "cut at {cuts:?}");
});
