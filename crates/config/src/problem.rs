//! What is wrong with a configuration: every problem of a file at once, each with its place.

use std::fmt;

use thiserror::Error;

/// One wrong place: where it is, what stands there, and what would be right.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    /// Line in the file, from 1.
    pub line: usize,
    /// The key with its table, `cores.worker`; empty where the text is no TOML at all.
    pub key: String,
    /// The value as it stands in the file; what was assumed, in words, where the key is not there.
    pub value: String,
    /// What would be right.
    pub wanted: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.key.as_str(), self.value.as_str()) {
            ("", "") => f.write_str(&self.wanted),
            ("", value) => write!(f, "`{value}`: {}", self.wanted),
            (key, "") => write!(f, "{key}: {}", self.wanted),
            (key, value) => write!(f, "{key} = {value}: {}", self.wanted),
        }
    }
}

/// A file that is no valid configuration. Its text is one `file:line: key = value: what would be right` per problem.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("{}", .problems.iter().map(|problem| format!("{}:{}: {problem}", .file, problem.line)).collect::<Vec<_>>().join("\n"))]
pub struct ConfigError {
    /// The file's name as the caller gave it.
    pub file: String,
    /// At least one, in the order of their lines.
    pub problems: Vec<Problem>,
}
