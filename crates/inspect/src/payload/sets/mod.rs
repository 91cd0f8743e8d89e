//! Sets that stand outside the rules: data sets, reputations of addresses, countries of addresses.
//!
//! What is loaded from files never changes and is read without a lock. What rules add and take away at run time is one map
//! behind a lock, shared by all workers, taken only for sets that some rule writes to, and only when the other tests of
//! that buffer hold.

mod country;
mod kind;
mod reputation;
mod set;

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use policy::{Dataset, DatasetCommand, Domains, Lists};
use thiserror::Error;

pub use country::{Countries, CountryTest};
pub use kind::Kind;
pub use reputation::{Reputation, ReputationTest};
use set::Live;
pub use set::Set;

/// Bytes that a set may take if its rule does not say (`memcap`), as with the reference.
const MEMORY_MAX: usize = 100 << 20;

/// Why a set cannot be had.
#[derive(Debug, Error)]
pub enum SetError {
    /// The first rule that names a set must say what is in it.
    #[error("set `{0}` is new here and has no `type`")]
    NoType(String),
    /// What is in it is not what was in it.
    #[error("set `{name}` has type {is} elsewhere")]
    OtherType {
        /// The set.
        name: String,
        /// Its type.
        is: Kind,
    },
    /// A setting that this appliance does not have.
    #[error("set `{name}`: `{setting} {value}` is not supported")]
    Setting {
        /// The set.
        name: String,
        /// The setting.
        setting: String,
        /// Its value.
        value: String,
    },
    /// Its file cannot be read.
    #[error("set `{name}`: {}: {why}", file.display())]
    File {
        /// The set.
        name: String,
        /// The file.
        file: PathBuf,
        /// Why not.
        why: io::Error,
    },
    /// A file to write that is not below the directory for such files.
    #[error("set `{name}`: `{}` is not a place below the directory for state", file.display())]
    Outside {
        /// The set.
        name: String,
        /// The file.
        file: PathBuf,
    },
    /// More in the file than the set may take.
    #[error("set `{name}` takes more than {memory_max} bytes (`memcap`)")]
    TooLarge {
        /// The set.
        name: String,
        /// Bytes that it may take.
        memory_max: usize,
    },
    /// A domain list that a rule wants to change, or to be another set.
    #[error(
        "`{0}` is a domain list: it can be asked with `isset` and `isnotset`, and says itself what is in it"
    )]
    List(String),
    /// No such category.
    #[error("no category `{0}` of reputation is known")]
    Category(String),
    /// A line of a list that says nothing.
    #[error("line {line}: `{text}` is not {expected}")]
    Line {
        /// Which, from 1.
        line: usize,
        /// What stands there, clipped.
        text: String,
        /// What should.
        expected: &'static str,
    },
    /// No data base of countries, or a broken one.
    #[error("no countries: {0}")]
    Countries(String),
}

/// Where files of sets are.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// Where files named by `load` and `state` are looked for, in this order.
    pub load: Vec<PathBuf>,
    /// Where files named by `save` and `state` are written; without it they are not.
    pub save: Option<PathBuf>,
}

/// All data sets of a policy, by name.
#[derive(Debug, Default)]
pub struct Sets {
    places: Places,
    sets: HashMap<String, Arc<Set>>,
    /// The domain lists of the rules that are being compiled.
    lists: Lists,
    /// What the rules of the policy before this one left in their sets.
    before: HashMap<String, (Kind, Arc<Live>)>,
}

impl Sets {
    /// No set yet.
    #[must_use]
    pub fn new(places: Places) -> Self {
        Self { places, ..Self::default() }
    }

    /// No set yet; one that has the name and the type of an earlier policy's keeps what rules wrote into that.
    #[must_use]
    pub fn after(previous: &Self) -> Self {
        let live = |(name, set): (&String, &Arc<Set>)| (name.clone(), (set.kind(), Arc::clone(set.live())));
        let before = previous.sets.iter().map(live).collect();
        Self { places: previous.places.clone(), before, ..Self::default() }
    }

    /// Knows the domain lists of the rules that are compiled next.
    pub(crate) fn know(&mut self, lists: &Lists) {
        self.lists = lists.clone();
    }

    /// The domain list of that name, if it is one: whether a name is on it is all that can be asked.
    pub fn domains(&self, asked: &Dataset) -> Result<Option<Arc<Domains>>, SetError> {
        let Some(domains) = self.lists.find(&asked.name) else { return Ok(None) };
        match asked.command {
            DatasetCommand::IsSet | DatasetCommand::IsNotSet if asked.settings.is_empty() => {
                Ok(Some(Arc::clone(domains)))
            }
            _ => Err(SetError::List(asked.name.clone())),
        }
    }

    /// The set that a rule names, loaded from its file if it is new.
    pub fn open(
        &mut self,
        name: &str,
        settings: &[(String, String)],
        command: Option<DatasetCommand>,
    ) -> Result<Arc<Set>, SetError> {
        let asked = Asked::new(name, settings)?;
        let set = match self.sets.get(name) {
            Some(set) => {
                if asked.kind.is_some_and(|kind| kind != set.kind()) {
                    return Err(SetError::OtherType { name: name.to_owned(), is: set.kind() });
                }
                Arc::clone(set)
            }
            None => {
                let set = Arc::new(self.load(name, &asked)?);
                self.sets.insert(name.to_owned(), Arc::clone(&set));
                set
            }
        };
        if matches!(command, Some(DatasetCommand::Set | DatasetCommand::Unset)) {
            set.is_written();
        }
        Ok(set)
    }

    fn load(&self, name: &str, asked: &Asked<'_>) -> Result<Set, SetError> {
        let kind = asked.kind.ok_or_else(|| SetError::NoType(name.to_owned()))?;
        let live = match self.before.get(name) {
            Some((before, live)) if *before == kind => Arc::clone(live),
            _ => Arc::default(),
        };
        let save = asked.save.map(|file| self.save_place(name, file)).transpose()?.flatten();
        let mut set = Set::new(name, kind, asked.memory_max, live, save);
        if let Some(file) = asked.load {
            let found = self.load_place(file);
            match fs::read(&found) {
                Ok(text) => set.load(&text)?,
                // What is written at the end need not be there at the first start.
                Err(why) if asked.save.is_some() && why.kind() == io::ErrorKind::NotFound => {}
                Err(why) => return Err(SetError::File { name: name.to_owned(), file: found, why }),
            }
        }
        Ok(set)
    }

    fn load_place(&self, file: &str) -> PathBuf {
        let beside = self.places.load.iter().chain(&self.places.save).map(|place| place.join(file));
        beside.clone().find(|file| file.is_file()).unwrap_or_else(|| PathBuf::from(file))
    }

    fn save_place(&self, name: &str, file: &str) -> Result<Option<PathBuf>, SetError> {
        let path = Path::new(file);
        match path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
            true => Ok(self.places.save.as_ref().map(|place| place.join(path))),
            false => Err(SetError::Outside { name: name.to_owned(), file: path.to_owned() }),
        }
    }

    /// Writes what is in the sets whose rules want it kept. Called at the end, by whoever may wait for files.
    ///
    /// # Errors
    /// The first file that could not be written; the others were written all the same.
    pub fn save(&self) -> Result<(), SetError> {
        self.sets.values().map(|set| set.save()).fold(Ok(()), Result::and)
    }

    /// All sets.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Set>> {
        self.sets.values()
    }
}

/// What a rule says of a set.
#[derive(Debug)]
struct Asked<'a> {
    kind: Option<Kind>,
    load: Option<&'a str>,
    save: Option<&'a str>,
    memory_max: usize,
}

impl<'a> Asked<'a> {
    fn new(name: &str, settings: &'a [(String, String)]) -> Result<Self, SetError> {
        let mut asked = Self { kind: None, load: None, save: None, memory_max: MEMORY_MAX };
        for (setting, value) in settings {
            let wrong = || SetError::Setting {
                name: name.to_owned(),
                setting: setting.clone(),
                value: value.clone(),
            };
            match setting.as_str() {
                "type" => asked.kind = Some(Kind::named(value).ok_or_else(wrong)?),
                "load" => asked.load = Some(value),
                "save" => asked.save = Some(value),
                "state" => (asked.load, asked.save) = (Some(value.as_str()), Some(value.as_str())),
                "memcap" => asked.memory_max = memory(value).ok_or_else(wrong)?,
                // Ours grow by themselves.
                "hashsize" => {}
                "format" if value == "csv" => {}
                _ => return Err(wrong()),
            }
        }
        Ok(asked)
    }
}

/// A number of bytes, with `kb`, `mb` or `gb` behind it or not.
fn memory(text: &str) -> Option<usize> {
    let text = text.trim().to_ascii_lowercase();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match text.get(digits.len()..)? {
        "" | "b" => 0,
        "k" | "kb" => 10,
        "m" | "mb" => 20,
        "g" | "gb" => 30,
        _ => return None,
    };
    digits.trim().parse::<usize>().ok()?.checked_mul(1 << shift)
}

/// A piece of a line for a message.
fn clipped(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(64).collect()
}

#[cfg(test)]
mod tests;
