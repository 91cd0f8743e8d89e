//! TOML text as tables whose keys are asked for one by one.
//!
//! What is asked for is what is known: the list of keys stands nowhere else, so an unknown key, its nearest neighbour
//! and the test that finds undocumented keys all follow from the code that reads them. A wrong value becomes a problem
//! and its default takes its place, so that one run tells everything that is wrong.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::problem::{ConfigError, Problem};

/// Longest piece of the file that a message repeats, in characters.
const SHOWN: usize = 60;

pub(crate) struct Document<'a> {
    file: &'a str,
    text: &'a str,
    table: DeTable<'a>,
    /// Where each key that was asked for stands, by its full name; `None` if it is not in the file.
    known: BTreeMap<String, Option<Range<usize>>>,
    /// The tables whose keys are free.
    free: Vec<String>,
    /// The arrays whose members are tables.
    arrays: Vec<String>,
    problems: Vec<Problem>,
}

impl<'a> Document<'a> {
    /// Read the text as TOML. Text that is no TOML is nothing but problems.
    pub(crate) fn parse(file: &'a str, text: &'a str) -> Result<Self, ConfigError> {
        let (table, errors) = DeTable::parse_recoverable(text);
        let mut document = Self {
            file,
            text,
            table: table.into_inner(),
            known: BTreeMap::new(),
            free: Vec::new(),
            arrays: Vec::new(),
            problems: Vec::new(),
        };
        for error in errors {
            let span = error.span().unwrap_or(0..0);
            let value = document.shown(&span);
            let line = document.line(&span);
            document.problems.push(Problem {
                line,
                key: String::new(),
                value,
                wanted: error.message().into(),
            });
        }
        match document.is_right() {
            true => Ok(document),
            false => Err(document.into_error()),
        }
    }

    /// The value of `table.key` if it is there and `read` accepts it. What `read` says instead is what would be right.
    pub(crate) fn optional<T>(
        &mut self,
        table: &str,
        key: &str,
        read: impl FnOnce(&DeValue<'_>) -> Result<T, String>,
    ) -> Option<T> {
        let name = full_name(table, key);
        let value = self.take(table, key);
        self.known.insert(name.clone(), value.as_ref().map(Spanned::span));
        match read(value?.get_ref()) {
            Ok(value) => Some(value),
            Err(wanted) => {
                self.wrong(&name, wanted);
                None
            }
        }
    }

    /// As [`Self::optional`], with a default for a key that is not there.
    pub(crate) fn value<T>(
        &mut self,
        table: &str,
        key: &str,
        default: T,
        read: impl FnOnce(&DeValue<'_>) -> Result<T, String>,
    ) -> T {
        self.optional(table, key, read).unwrap_or(default)
    }

    /// As [`Self::optional`], for a key that must be there; `wanted` says what to write.
    pub(crate) fn required<T>(
        &mut self,
        table: &str,
        key: &str,
        wanted: &str,
        read: impl FnOnce(&DeValue<'_>) -> Result<T, String>,
    ) -> Option<T> {
        let value = self.optional(table, key, read);
        let name = full_name(table, key);
        if value.is_none() && !self.stands(&name) {
            self.wrong(&name, format!("is required: {wanted}"));
        }
        value
    }

    /// The keys of a table that may have any.
    pub(crate) fn free_keys(&mut self, table: &str) -> Vec<String> {
        self.free.push(table.into());
        let Some(table) = lookup(&mut self.table, table) else { return Vec::new() };
        table.keys().map(|key| key.get_ref().to_string()).collect()
    }

    /// The tables that stand under `[[name]]`, as names to ask with: `name.0`, `name.1` and so on.
    pub(crate) fn tables(&mut self, name: &str) -> Vec<String> {
        self.arrays.push(name.into());
        match self.table.get(name).map(Spanned::get_ref) {
            Some(DeValue::Array(tables)) if tables.iter().all(is_table) => {
                (0..tables.len()).map(|nth| format!("{name}.{nth}")).collect()
            }
            _ => Vec::new(),
        }
    }

    /// A path as it is meant: relative to this file.
    pub(crate) fn beside(&self, path: &str) -> PathBuf {
        Path::new(self.file).parent().unwrap_or(Path::new("")).join(path)
    }

    /// Does the key stand in the file? Only for keys that were asked for.
    pub(crate) fn stands(&self, name: &str) -> bool {
        self.known.get(name).is_some_and(Option::is_some)
    }

    /// Note that the value of a key that was asked for is wrong.
    pub(crate) fn wrong(&mut self, name: &str, wanted: impl Into<String>) {
        let span = self.known.get(name).cloned().flatten();
        let value = span.as_ref().map(|span| self.shown(span)).unwrap_or_default();
        let line = span.map_or_else(|| self.table_line(name), |span| self.line(&span));
        self.problems.push(Problem { line, key: name.into(), value, wanted: wanted.into() });
    }

    /// Is everything that was asked for so far right?
    pub(crate) fn is_right(&self) -> bool {
        self.problems.is_empty()
    }

    /// What was read, if nothing is wrong. Nobody asks for more, so whatever is left in the file is unknown.
    pub(crate) fn finish<T>(mut self, read: Option<T>) -> Result<T, ConfigError> {
        let mut left = Vec::new();
        let mut tables: Vec<&str> =
            self.known.keys().filter_map(|name| name.rsplit_once('.')).map(|(table, _)| table).collect();
        tables.extend(self.free.iter().map(String::as_str));
        leftovers("", &self.table, (&tables, &self.arrays), &mut left);
        for (name, key, value) in left {
            let wanted = unknown(&name, value.is_none(), self.known.keys().map(String::as_str));
            let value = value.map(|span| self.shown(&span)).unwrap_or_default();
            let line = self.line(&key);
            self.problems.push(Problem { line, key: name, value, wanted });
        }
        match read {
            Some(read) if self.is_right() => Ok(read),
            _ => Err(self.into_error()),
        }
    }

    /// Every key that was asked for so far, by its full name.
    #[cfg(test)]
    pub(crate) fn known(&self) -> Vec<String> {
        self.known.keys().cloned().collect()
    }

    fn into_error(mut self) -> ConfigError {
        self.problems.sort_by_key(|problem| problem.line);
        ConfigError { file: self.file.into(), problems: self.problems }
    }

    fn take(&mut self, table: &str, key: &str) -> Option<Spanned<DeValue<'a>>> {
        let table = lookup(&mut self.table, table)?;
        table.remove(key)
    }

    fn line(&self, span: &Range<usize>) -> usize {
        self.text.bytes().take(span.start).filter(|byte| *byte == b'\n').count() + 1
    }

    /// The line of the table's header, for a key that is not there; 1 if the table is not there either.
    fn table_line(&self, name: &str) -> usize {
        let table = name.rsplit_once('.').map_or(name, |(table, _)| table);
        // `name.2` is the third header of its name.
        let (table, nth) = match table.rsplit_once('.').map(|(array, nth)| (array, nth.parse::<usize>())) {
            Some((array, Ok(nth))) => (array, nth),
            _ => (table, 0),
        };
        let is_header = |line: &&(usize, &str)| {
            let inside = line.1.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
            let inside = inside.map(|inside| inside.trim_start_matches('[').trim_end_matches(']').trim());
            inside == Some(table)
        };
        let mut headers = self.text.lines().enumerate();
        let header = headers.by_ref().filter(|line| is_header(&line)).nth(nth);
        header.map_or(1, |(at, _)| at + 1)
    }

    fn shown(&self, span: &Range<usize>) -> String {
        let text = self.text.get(span.clone()).unwrap_or_default();
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        match line.char_indices().nth(SHOWN) {
            Some((end, _)) => format!("{}…", &line[..end]),
            None => line,
        }
    }
}

fn full_name(table: &str, key: &str) -> String {
    if table.is_empty() { key.into() } else { format!("{table}.{key}") }
}

/// The table of that name; a number in it is a place in an array of tables.
fn lookup<'t, 'a>(root: &'t mut DeTable<'a>, name: &str) -> Option<&'t mut DeTable<'a>> {
    let mut table = root;
    let mut parts = name.split('.').filter(|part| !part.is_empty());
    while let Some(part) = parts.next() {
        let mut value = table.get_mut(part)?.get_mut();
        if let DeValue::Array(members) = value {
            let nth: usize = parts.next()?.parse().ok()?;
            value = members.get_mut(nth)?.get_mut();
        }
        table = match value {
            DeValue::Table(table) => table,
            _ => return None,
        };
    }
    Some(table)
}

/// A name that nobody asked for, where it stands, and where its value stands unless that is a table.
type Leftover = (String, Range<usize>, Option<Range<usize>>);

/// What is left of `table`: values that nobody asked for, and tables of which no key was asked for, as a whole.
fn leftovers(prefix: &str, table: &DeTable<'_>, asked: (&[&str], &[String]), left: &mut Vec<Leftover>) {
    let (tables, arrays) = asked;
    for (key, value) in table {
        let name = full_name(prefix, key.get_ref());
        match value.get_ref() {
            DeValue::Table(inner) if tables.contains(&name.as_str()) => leftovers(&name, inner, asked, left),
            DeValue::Array(members) if arrays.contains(&name) && members.iter().all(is_table) => {
                for (nth, member) in members.iter().enumerate() {
                    if let DeValue::Table(inner) = member.get_ref() {
                        leftovers(&format!("{name}.{nth}"), inner, asked, left);
                    }
                }
            }
            other => left.push((name, key.span(), (!other.is_table()).then(|| value.span()))),
        }
    }
}

fn is_table(value: &Spanned<DeValue<'_>>) -> bool {
    value.get_ref().is_table()
}

fn unknown<'k>(name: &str, is_table: bool, known: impl Iterator<Item = &'k str>) -> String {
    let (table, key) = name.rsplit_once('.').unwrap_or(("", name));
    let known: Vec<&str> = known.collect();
    let tables = || known.iter().filter_map(|known| known.rsplit_once('.')).map(|(table, _)| table);
    if tables().any(|table| table == name) {
        return format!("is a table: write one [{name}] with its keys below");
    }
    if is_table {
        return match nearest(name, tables()) {
            Some(near) => format!("is no known table; did you mean [{near}]?"),
            None => "is no known table".into(),
        };
    }
    let inside = known.iter().filter_map(|known| known.rsplit_once('.')).filter(|(of, _)| *of == table);
    if let Some(near) = nearest(key, inside.map(|(_, key)| key)) {
        return format!("is no known key; did you mean {near}?");
    }
    let elsewhere = known.iter().find(|known| known.rsplit_once('.').is_some_and(|(_, other)| other == key));
    match elsewhere {
        Some(known) => format!("is no known key; did you mean {known}?"),
        None => "is no known key".into(),
    }
}

/// The known name that is nearest to a wrong one, if any is near enough to be meant.
fn nearest<'k>(wrong: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let score = |name: &str| strsim::jaro_winkler(wrong, name);
    known.filter(|name| score(name) > 0.75).max_by(|a, b| score(a).total_cmp(&score(b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let mut document = Document::parse("F", text).unwrap();
        document.value("port", "mtu", 1, |value| value.as_integer().map(|_| 1).ok_or("a number".into()));
        document.value("health", "path", 1, |_| Ok(1));
        document.finish(Some(())).unwrap_err().problems.iter().map(|p| format!("{}: {p}", p.line)).collect()
    }

    #[test]
    fn an_unknown_key_is_told_its_nearest_neighbour_and_its_line() {
        assert_eq!(problems("[port]\nmtv = 5"), ["2: port.mtv = 5: is no known key; did you mean mtu?"]);
        assert_eq!(
            problems("[port]\npath = 5"),
            ["2: port.path = 5: is no known key; did you mean health.path?"]
        );
        assert_eq!(problems("[ports]\nx = 5"), ["1: ports: is no known table; did you mean [port]?"]);
        assert_eq!(problems("zebra = 5"), ["1: zebra = 5: is no known key"]);
        assert_eq!(
            problems("[[port]]\n[[port]]"),
            ["1: port = [[port]]: is a table: write one [port] with its keys below"]
        );
    }

    #[test]
    fn every_problem_of_a_file_is_told_at_once_in_the_order_of_lines() {
        let found = problems("[zebra]\n[port]\nmtu = \"big\"\n");
        assert_eq!(found, ["1: zebra: is no known table", "3: port.mtu = \"big\": a number"]);
    }

    #[test]
    fn text_that_is_no_toml_gives_the_line() {
        let error = Document::parse("F", "[port]\nmtu = = 3").err().unwrap();
        assert!(error.to_string().starts_with("F:2: "), "{error}");
    }

    #[test]
    fn long_values_are_cut() {
        let found = problems(&format!("[port]\nmtu = \"{}\"", "ä".repeat(500)));
        assert!(found[0].chars().count() < 100, "{}", found[0]);
    }
}
