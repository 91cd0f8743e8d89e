//! From one network to another, step by step.

use std::collections::{BTreeSet, HashSet};

use super::item::Item;

/// A change of one fact.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Step {
    /// Make it.
    Add(Item),
    /// Take it away.
    Remove(Item),
    /// Put the second in the first's place without a moment between.
    Replace(Item, Item),
}

impl Step {
    /// What undoes it.
    #[must_use]
    pub fn inverse(self) -> Self {
        match self {
            Self::Add(item) => Self::Remove(item),
            Self::Remove(item) => Self::Add(item),
            Self::Replace(old, new) => Self::Replace(new, old),
        }
    }
}

/// The steps from `old` to `new`: what is too much goes first, in the reverse order of creation; then comes what is missing or
/// takes another's place. What a namespace takes with it needs no step of its own.
#[must_use]
pub fn diff(old: &BTreeSet<Item>, new: &BTreeSet<Item>) -> Vec<Step> {
    let mut removed: BTreeSet<&Item> = old.difference(new).collect();
    let mut added: BTreeSet<&Item> = new.difference(old).collect();
    remake_dependents(old, &mut removed, &mut added);
    let mut replaced = Vec::new();
    removed.retain(|item| {
        let substitute = added.iter().find(|candidate| candidate.replaces(item)).copied();
        if let Some(new) = substitute {
            replaced.push((*item, new));
        }
        substitute.is_none()
    });
    let stays = |item: &Item| new.contains(&Item::Namespace(item.namespace().to_owned()));
    let gone = removed.into_iter().rev().filter(|item| !item.goes_with_namespace() || stays(item));
    let come = added.iter().map(|item| match replaced.iter().find(|(_, new)| new == item) {
        Some((old, _)) => Step::Replace((*old).clone(), (*item).clone()),
        None => Step::Add((*item).clone()),
    });
    gone.cloned().map(Step::Remove).chain(come).collect()
}

/// A device that is made anew loses its addresses, routes and ports: they are made anew too.
fn remake_dependents<'a>(
    old: &'a BTreeSet<Item>,
    removed: &mut BTreeSet<&'a Item>,
    added: &mut BTreeSet<&'a Item>,
) {
    loop {
        let lost: HashSet<_> = removed.iter().flat_map(|item| item.makes()).collect();
        let more: Vec<_> = old
            .iter()
            .filter(|item| !removed.contains(item) && item.needs().iter().any(|device| lost.contains(device)))
            .collect();
        if more.is_empty() {
            return;
        }
        removed.extend(&more);
        added.extend(more);
    }
}
