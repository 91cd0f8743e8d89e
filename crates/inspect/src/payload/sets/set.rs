//! One data set: what was loaded, and what rules made of it since.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use super::{Kind, SetError};

/// What an entry takes besides its bytes, about.
const ENTRY: usize = 64;

/// What rules wrote: each value with whether it is in the set now.
#[derive(Debug, Default)]
pub(super) struct Live(RwLock<Written>);

#[derive(Debug, Default)]
struct Written {
    values: HashMap<Box<[u8]>, bool>,
    memory: usize,
}

/// One data set, shared by all workers.
#[derive(Debug)]
pub struct Set {
    name: String,
    kind: Kind,
    /// From the file, with the reputation that stands there, or 0.
    loaded: HashMap<Box<[u8]>, u16>,
    loaded_memory: usize,
    memory_max: usize,
    /// Some rule writes to it, so that `live` must be asked.
    written: AtomicBool,
    live: Arc<Live>,
    save: Option<PathBuf>,
    /// Lines of the file that say nothing.
    pub skipped: usize,
    /// Values that found no room.
    refused: AtomicU64,
}

impl Set {
    pub(super) fn new(
        name: &str,
        kind: Kind,
        memory_max: usize,
        live: Arc<Live>,
        save: Option<PathBuf>,
    ) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            loaded: HashMap::new(),
            loaded_memory: 0,
            memory_max,
            written: AtomicBool::new(false),
            live,
            save,
            skipped: 0,
            refused: AtomicU64::new(0),
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it holds.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Values that found no room.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    pub(super) fn live(&self) -> &Arc<Live> {
        &self.live
    }

    pub(super) fn is_written(&self) {
        self.written.store(true, Ordering::Relaxed);
    }

    /// Takes in a file: one value a line, with a reputation behind a comma or not. A line that says nothing is passed over.
    pub(super) fn load(&mut self, text: &[u8]) -> Result<(), SetError> {
        for line in text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii) {
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            let Some((value, reputation)) = self.read(line) else {
                self.skipped += 1;
                continue;
            };
            let memory = value.len() + ENTRY;
            if self.loaded_memory + memory > self.memory_max {
                let (name, memory_max) = (self.name.clone(), self.memory_max);
                return Err(SetError::TooLarge { name, memory_max });
            }
            if self.loaded.insert(value.into(), reputation).is_none() {
                self.loaded_memory += memory;
            }
        }
        Ok(())
    }

    fn read(&self, line: &[u8]) -> Option<(Vec<u8>, u16)> {
        let line = std::str::from_utf8(line).ok()?;
        let (value, reputation) = match line.split_once(',') {
            Some((value, reputation)) => (value.trim(), reputation.trim().parse().ok()?),
            None => (line, 0),
        };
        Some((self.kind.read(value)?, reputation))
    }

    /// Whether the value is in it.
    #[must_use]
    pub fn has(&self, value: &[u8]) -> bool {
        if self.written.load(Ordering::Relaxed) {
            let live = self.live.0.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(there) = live.values.get(value) {
                return *there;
            }
        }
        self.loaded.contains_key(value)
    }

    /// The value's reputation, if it is in what was loaded.
    #[must_use]
    pub fn reputation(&self, value: &[u8]) -> Option<u16> {
        self.loaded.get(value).copied()
    }

    /// Puts a value in. `true` if it was not there before.
    pub fn add(&self, value: &[u8]) -> bool {
        self.kind.fits(value) && self.write(value, true)
    }

    /// Takes a value out. `true` if it was there.
    pub fn remove(&self, value: &[u8]) -> bool {
        self.write(value, false)
    }

    fn write(&self, value: &[u8], there: bool) -> bool {
        let loaded = self.loaded.contains_key(value);
        let mut live = self.live.0.write().unwrap_or_else(PoisonError::into_inner);
        if live.values.get(value).copied().unwrap_or(loaded) == there {
            return false;
        }
        let memory = value.len() + ENTRY;
        if loaded == there {
            // Again as it was loaded: nothing to remember.
            live.values.remove(value);
            live.memory = live.memory.saturating_sub(memory);
            return true;
        }
        if live.memory + self.loaded_memory + memory > self.memory_max {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return false;
        }
        if live.values.insert(value.into(), there).is_none() {
            live.memory += memory;
        }
        true
    }

    /// Writes what is in it, if its rules want that.
    pub(super) fn save(&self) -> Result<(), SetError> {
        let Some(file) = &self.save else { return Ok(()) };
        let mut lines: Vec<String> = Vec::new();
        {
            let live = self.live.0.read().unwrap_or_else(PoisonError::into_inner);
            let kept = self.loaded.keys().filter(|value| live.values.get(*value) != Some(&false));
            lines.extend(kept.map(|value| self.kind.write(value)));
            let added =
                live.values.iter().filter(|(value, there)| **there && !self.loaded.contains_key(*value));
            lines.extend(added.map(|(value, _)| self.kind.write(value)));
        }
        lines.sort_unstable();
        let text = lines.into_iter().map(|line| line + "\n").collect::<String>();
        fs::write(file, text).map_err(|why| SetError::File {
            name: self.name.clone(),
            file: file.clone(),
            why,
        })
    }
}
