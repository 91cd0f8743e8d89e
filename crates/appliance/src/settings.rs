//! The configuration file, read for this machine.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use config::{ConfigError, Machine, Settings};

use crate::wiring;

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    #[error("{path}: {source}", path = .path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Config(#[from] ConfigError),
}

/// Read a configuration file for this machine as it is now.
pub(crate) fn read(path: &Path) -> Result<Settings, SettingsError> {
    read_for(path, &wiring::machine())
}

/// Read a configuration file for a machine.
pub(crate) fn read_for(path: &Path, machine: &Machine) -> Result<Settings, SettingsError> {
    let text =
        fs::read_to_string(path).map_err(|source| SettingsError::Read { path: path.to_owned(), source })?;
    Ok(Settings::from_toml(&path.display().to_string(), &text, machine)?)
}
