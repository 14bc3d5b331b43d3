//! The stories: one binary, real parts. See `common` for what they stand on.

mod common;
mod files;
mod nodes;
mod verdicts;

fn main() {
    let arguments = libtest_mimic::Arguments::from_args();
    let stories = [verdicts::stories(), nodes::stories(), files::stories()].into_iter().flatten().collect();
    libtest_mimic::run(&arguments, stories).exit();
}
