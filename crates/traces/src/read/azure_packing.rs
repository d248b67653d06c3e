//! Azure's trace for packing (2020): the VMs of one zone over 14 days, in an SQLite file with the tables `vm` and `vmType`.
//!
//! Hadary et al., "Protean", OSDI 2020. Times are fractions of days; a type of VM asks for shares of each type of machine that
//! it can run on. The reader is built with the feature `sqlite`; without it the file is recognised and refused.

#[cfg(feature = "sqlite")]
mod database;

use crate::{Format, Grouping};

/// See the [module](self).
pub const FORMAT: Format = Format {
    name: "azure-packing",
    about: "Azure's trace for packing 2020: VMs and their shares of types of machines (SQLite)",
    source: "github.com/Azure/AzurePublicDataset, AzureTracesForPacking2020; CC-BY 4.0",
    grouping: Grouping::File,
    detect: |source| source.head.starts_with(b"SQLite format 3\0").then_some("vm"),
    #[cfg(feature = "sqlite")]
    read: database::read,
    #[cfg(not(feature = "sqlite"))]
    read: not_built,
};

#[cfg(not(feature = "sqlite"))]
fn not_built(parts: &[crate::format::Part<'_>], _: &mut crate::Context<'_>) -> Result<(), crate::TraceError> {
    let path = parts.first().map(|part| part.source.path.clone()).unwrap_or_default();
    Err(crate::TraceError::NotBuilt { path, format: "SQLite", feature: "sqlite" })
}

#[cfg(all(test, not(feature = "sqlite")))]
mod tests {
    use crate::{Options, Trace, TraceError, sink::Collected};

    #[test]
    fn a_build_without_sqlite_recognises_the_file_and_says_what_it_lacks() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("packing");
        std::fs::write(&path, b"SQLite format 3\0\x10\0").expect("a file");
        let trace = Trace::one(&path, None).expect("a known format");
        let read = trace.read(&Options::default(), &mut Collected::default(), &mut |_| true);
        assert!(matches!(&read, Err(TraceError::NotBuilt { feature: "sqlite", .. })), "{read:?}");
    }
}
