//! `[learn]`: whether the names that are asked for are learnt, and for how long.

use std::path::PathBuf;
use std::time::Duration;

use crate::document::Document;
use crate::value;

/// What is learnt.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct LearnSettings {
    /// Where the list is written; if that was relative to the configuration file it is below its directory now.
    pub file: PathBuf,
    /// From the start on.
    pub time: Duration,
}

impl LearnSettings {
    pub(crate) fn read(document: &mut Document<'_>) -> Option<Self> {
        let file = document.value("learn", "file", None, value::text_or_none);
        let day = Duration::from_secs(86_400);
        let time = document.value("learn", "time", day, value::seconds(1..=31_536_000));
        file.map(|file| Self { file: document.beside(&file), time })
    }
}
