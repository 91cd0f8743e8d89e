//! The configuration of an appliance: what its place asks for, and what the lab's user wants otherwise.

use std::path::{Path, PathBuf};
use std::{fs, io};

use toml::{Table, Value};

/// Keys whose values are files, relative to the file in which they stand.
const FILES: [&str; 3] = ["rules", "classification", "file"];

/// Why a user's configuration could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationError {
    /// It could not be read.
    #[error("{0}: {1}")]
    Unread(PathBuf, io::Error),
    /// It is not TOML.
    #[error("{0}: {1}")]
    Wrong(PathBuf, Box<toml::de::Error>),
}

/// The text of a configuration: `own`, and over it, key by key, what the user's `file` says. It will stand elsewhere than
/// the user's, so the files that that one names are named from the root on.
///
/// # Errors
/// [`ConfigurationError`]: `file` cannot be read as TOML.
pub fn over(own: &str, file: &Path) -> Result<String, ConfigurationError> {
    let text = fs::read_to_string(file).map_err(|e| ConfigurationError::Unread(file.into(), e))?;
    let wrong = |e| ConfigurationError::Wrong(file.into(), Box::new(e));
    let mut wanted: Table = text.parse().map_err(wrong)?;
    let folder = file.parent().unwrap_or(Path::new("/"));
    name_from_root(&mut wanted, folder);
    let mut all: Table = own.parse().map_err(wrong)?;
    put_over(&mut all, wanted);
    Ok(all.to_string())
}

/// Tables are joined, all else is replaced.
fn put_over(below: &mut Table, above: Table) {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => put_over(below, above),
            (_, value) => drop(below.insert(key, value)),
        }
    }
}

fn name_from_root(table: &mut Table, folder: &Path) {
    for (key, value) in table {
        match value {
            Value::Table(inner) => name_from_root(inner, folder),
            Value::String(_) if FILES.contains(&key.as_str()) => place(value, folder),
            Value::Array(members) => {
                for member in members {
                    match member {
                        Value::Table(inner) => name_from_root(inner, folder),
                        _ if FILES.contains(&key.as_str()) => place(member, folder),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
}

/// The empty name stands for no file.
fn place(value: &mut Value, folder: &Path) {
    if let Value::String(name) = value
        && !name.is_empty()
    {
        *name = folder.join(&*name).display().to_string();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a test fails by panicking

    use super::*;

    #[test]
    fn a_user_s_keys_win_and_the_files_they_name_are_those_beside_the_user_s() {
        let folder = std::env::temp_dir().join(format!("gwlb-lab-configuration-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("own.toml");
        let wanted = "[policy]\ndefault = \"drop\"\n[policy.variables]\nfile = \"\"\n\
                      [learn]\nfile = \"learnt\"\n[[list]]\nfile = \"/names\"\n[[endpoint]]\nrules = [\"a\"]\n";
        fs::write(&file, wanted).unwrap();
        let own = "[port]\ndevice = \"eth0\"\n[policy]\nrules = [\"b\"]\ndefault = \"forward\"\n";
        let all = over(own, &file);
        fs::remove_dir_all(&folder).unwrap();
        let expected = format!(
            "[port]\ndevice = \"eth0\"\n[policy]\nrules = [\"b\"]\ndefault = \"drop\"\n[policy.variables]\nfile = \"\"\n\
             [learn]\nfile = {learnt:?}\n[[list]]\nfile = \"/names\"\n[[endpoint]]\nrules = [{rules:?}]\n",
            learnt = folder.join("learnt"),
            rules = folder.join("a")
        );
        assert_eq!(all.unwrap().parse::<Table>().unwrap(), expected.parse().unwrap());
        assert!(matches!(over(own, &file), Err(ConfigurationError::Unread(..))));
    }
}
