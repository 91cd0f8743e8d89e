//! Who looks on while a capture is judged, and keeps what was seen for when it is over.

use std::sync::{Arc, Mutex, PoisonError};

use inspect::witness::{Asked, Fate, Looked, Witness};
use policy::{Outcome, RuleIndex};
use wire::EndpointId;

use super::explain::Notes;
use super::profile::Profile;

/// What is kept: shared by the witness, whom the loop owns, and the command that reads it afterwards.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watch(Arc<Mutex<Watched>>);

/// What was seen, as far as somebody asked for it.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    pub(crate) notes: Option<Notes>,
    pub(crate) profile: Option<Profile>,
    endpoint: EndpointId,
}

impl Watch {
    /// Keep what is asked for.
    pub(crate) fn new(notes: Option<Notes>, profile: Option<Profile>) -> Self {
        Self(Arc::new(Mutex::new(Watched { notes, profile, endpoint: EndpointId::default() })))
    }

    /// Read or write what was seen.
    pub(crate) fn with<R>(&self, read: impl FnOnce(&mut Watched) -> R) -> R {
        read(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Witness for Watch {
    fn looks(&mut self, packet: &Looked<'_>) {
        self.with(|watched| {
            watched.endpoint = packet.key.endpoint();
            watched.notes.iter_mut().for_each(|notes| notes.looks(packet));
        });
    }

    fn asks(&mut self) {
        self.with(|watched| watched.profile.iter_mut().for_each(Profile::asks));
    }

    fn asked(&mut self, asked: &Asked) {
        self.with(|watched| {
            let endpoint = watched.endpoint;
            // First: what is noted must not count as the rule's cost.
            if let Some(profile) = &mut watched.profile {
                profile.asked(endpoint, asked.rule, asked.said.is_ok());
            }
            watched.notes.iter_mut().for_each(|notes| notes.asked(asked));
        });
    }

    fn settled(&mut self, rule: RuleIndex, transaction: Option<u32>, fate: Fate) {
        self.with(|watched| {
            watched.notes.iter_mut().for_each(|notes| notes.settled(rule, transaction, fate))
        });
    }

    fn decided(&mut self, outcome: Outcome, by: Option<RuleIndex>) {
        self.with(|watched| watched.notes.iter_mut().for_each(|notes| notes.decided(outcome, by)));
    }

    fn misfit(&mut self) {
        self.with(|watched| watched.notes.iter_mut().for_each(Notes::misfit));
    }
}
