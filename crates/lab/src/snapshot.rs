//! The state as a JSON file, replaced whole: a reader sees the old or the new one, never a part.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::state::State;

/// Why a state could not be written or read.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {source}")]
pub struct SnapshotError {
    path: PathBuf,
    source: io::Error,
}

/// Replaces `file` by `state`.
///
/// # Errors
/// Names the file that could not be written.
pub fn write(file: &Path, state: &State) -> Result<(), SnapshotError> {
    let beside = file.with_extension("new");
    let put = || -> io::Result<()> {
        let mut out = File::create(&beside)?;
        out.write_all(&serde_json::to_vec_pretty(state)?)?;
        out.sync_all()?;
        fs::rename(&beside, file)
    };
    put().map_err(|source| SnapshotError { path: file.to_owned(), source })
}

/// The state in `file`, or `None` if there is none.
///
/// # Errors
/// Names the file that could not be read, is not a state, or holds one in which something cannot be.
pub fn read(file: &Path) -> Result<Option<State>, SnapshotError> {
    let text = match fs::read(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(SnapshotError { path: file.to_owned(), source }),
    };
    let state: State = serde_json::from_slice(&text)
        .map_err(|error| SnapshotError { path: file.to_owned(), source: error.into() })?;
    state.check().map_err(|flaw| SnapshotError { path: file.to_owned(), source: io::Error::other(flaw) })?;
    Ok(Some(state))
}
