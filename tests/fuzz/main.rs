//! Fuzz targets: random inputs, made from seeds by mutation, for what reads bytes that others wrote.
//!
//! They are ordinary tests on the stable compiler: `make test` gives each a moment, CI a minute, `make fuzz` ten minutes.
//!
//! **To add a target**, write one file beside this one and name it below. It has seeds (inputs that are right), tokens
//! (pieces that are put anywhere), and a check, which returns an error or panics where the input shows a fault:
//!
//! ```ignore
//! #[test]
//! fn thing() {
//!     Fuzz::new("thing").seeds(["right", "also right"]).tokens(["'", "\\"]).run(|input| check(input));
//! }
//! ```
//!
//! What a target says is either that something holds for every input (the result is valid BSON), or that somebody who
//! knows agrees (a kept parser, a real server). A target that only waits for panics is a weak one.
//!
//! | variable | for |
//! | --- | --- |
//! | `GODWIT_FUZZ_SECONDS` | how long each target goes on (1) |
//! | `GODWIT_FUZZ_SEED` | a number that was printed, to see the same inputs again |
//! | `GODWIT_FUZZ_INPUT` | the path of a saved input, to try that one alone; name the target as argument |
//!
//! An input that fails is made smaller, saved in `target/fuzz`, and named in the message. Kept in `tests/fuzz/kept/TARGET/`
//! it is tried first from then on.

mod change_log;
mod copy_rows;
mod ddl;
mod expressions;
mod harness;
mod json_numbers;
mod project_file;
mod table_filters;
