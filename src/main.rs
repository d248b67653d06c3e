//! The `mesosim` program.
fn main() {}
