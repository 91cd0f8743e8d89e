//! Where the project and its binaries are.

use std::path::{Path, PathBuf};

/// The project's root.
pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// A binary that `make build` left behind, or one of `SLUICE_BINARIES`, a folder below the project's root.
pub(crate) fn binary(name: &str) -> PathBuf {
    let folder = std::env::var_os("SLUICE_BINARIES").unwrap_or_else(|| "target/release".into());
    root().join(folder).join(name)
}
