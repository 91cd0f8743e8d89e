//! What one worker keeps from search to search: the engines' working memory, and a count of what was given up.

use regex_automata::meta;

use super::stepping::Room;

/// How many expressions keep their working memory at a time.
const SLOTS: usize = 256;

/// One worker's working memory for all expressions: at most so many of them keep theirs, each within the bounds that it
/// was compiled with; another that falls on the same place drives it out.
#[derive(Debug)]
pub struct Caches {
    slots: Box<[Option<(usize, meta::Cache)>]>,
    pub(super) room: Room,
    /// Searches that were given up because they backtracked too much.
    pub exhausted: u64,
}

impl Default for Caches {
    fn default() -> Self {
        Self { slots: (0..SLOTS).map(|_| None).collect(), room: Room::default(), exhausted: 0 }
    }
}

impl Caches {
    /// The working memory of the expression with that number.
    #[inline]
    pub(super) fn of(&mut self, number: usize, regex: &meta::Regex) -> &mut meta::Cache {
        let slot = &mut self.slots[number % SLOTS];
        if slot.as_ref().is_none_or(|(owner, _)| *owner != number) {
            *slot = None;
        }
        &mut slot.get_or_insert_with(|| (number, regex.create_cache())).1
    }

    /// Steps that the last search of an expression that steps back took.
    pub(crate) fn spent(&self) -> usize {
        self.room.spent
    }

    /// Bytes that it takes.
    #[must_use]
    pub fn memory(&self) -> usize {
        let kept = self.slots.iter().flatten().map(|(_, cache)| cache.memory_usage()).sum::<usize>();
        kept + self.room.memory() + SLOTS * size_of::<Option<(usize, meta::Cache)>>()
    }
}
