//! Who comes first when resources are to be shared.

mod drf;

pub use drf::DrfSorter;
