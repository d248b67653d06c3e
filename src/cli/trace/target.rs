//! Where a new trace goes: complete, or not at all, and never over something.

use std::{
    fs,
    io::{self, BufWriter, Write},
    path::Path,
};

use mesosim_traces::TraceError;

/// Whether something can be written there: nothing is there yet, or an empty directory.
pub(super) fn is_free(target: &Path) -> Result<(), TraceError> {
    let fail = |source| TraceError::Write { path: target.to_owned(), source };
    let there = |message| Err(fail(io::Error::new(io::ErrorKind::AlreadyExists, message)));
    match fs::read_dir(target).map(|entries| entries.take(1).count()) {
        Ok(0) => Ok(()),
        Ok(_) => there("there is a directory with something in it"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => there("there is a file of that name"),
        Err(error) => Err(fail(error)),
    }
}

/// Whether this build can write Parquet files there.
pub(super) fn needs_parquet(target: &Path) -> Result<(), TraceError> {
    if cfg!(feature = "parquet") {
        return Ok(());
    }
    Err(TraceError::NotBuilt { path: target.to_owned(), format: "Parquet", feature: "parquet" })
}

fn parent(target: &Path) -> &Path {
    target.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."))
}

/// Writes a file beside `target` that is renamed when all is in it.
pub(super) fn file<T>(
    target: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<T>,
) -> Result<T, TraceError> {
    let fail = |source| TraceError::Write { path: target.to_owned(), source };
    let mut unfinished = tempfile::Builder::new();
    #[cfg(unix)]
    unfinished.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666)); // less what the umask takes away
    let unfinished = unfinished.prefix(".unfinished-").tempfile_in(parent(target)).map_err(fail)?;
    let mut out = BufWriter::new(unfinished);
    let result = write(&mut out).map_err(fail)?;
    let unfinished = out.into_inner().map_err(|error| fail(error.into_error()))?;
    unfinished.persist(target).map_err(|error| fail(error.error))?;
    Ok(result)
}

/// Writes files into a directory beside `target` that is renamed when all is in it.
pub(super) fn directory<T>(
    target: &Path,
    write: impl FnOnce(&Path) -> Result<T, TraceError>,
) -> Result<T, TraceError> {
    let fail = |source| TraceError::Write { path: target.to_owned(), source };
    let mut unfinished = tempfile::Builder::new();
    #[cfg(unix)]
    unfinished.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777)); // less what the umask takes away
    let unfinished = unfinished.prefix(".unfinished-").tempdir_in(parent(target)).map_err(fail)?;
    let result = write(unfinished.path())?;
    fs::rename(unfinished.path(), target).map_err(fail)?;
    let _renamed = unfinished.keep();
    Ok(result)
}
