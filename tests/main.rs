//! The stories: one binary, real parts. See `common` for what they stand on.

fn main() {
    let arguments = libtest_mimic::Arguments::from_args();
    libtest_mimic::run(&arguments, Vec::new()).exit();
}
