//! One lab: its state, the network that makes it real, and the file in which it outlives its process.

use std::path::{Path, PathBuf};

use crate::api::{self, Answer, Request};
use crate::plane::{Disturbance, Plane, PlaneError};
use crate::snapshot::{self, SnapshotError};
use crate::state::State;

/// A lab. Requests are taken one at a time: validate, plan, apply, commit, answer.
pub struct Lab {
    state: State,
    plane: Box<dyn Plane>,
    file: Option<PathBuf>,
}

/// Why a lab could not be brought to a state.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// The network could not follow.
    #[error("the network refused the change: {0}")]
    Plane(#[from] PlaneError),
    /// The state could not be kept.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
}

impl Lab {
    /// A lab that is to be what `state` says, kept in `file` from now on. Everything is built anew: what a killed process
    /// left half done is no part of it.
    ///
    /// # Errors
    /// When the network cannot be built, or the state cannot be kept.
    pub fn raise(state: State, mut plane: Box<dyn Plane>, file: Option<PathBuf>) -> Result<Self, LabError> {
        let nothing = State::new(state.settings.clone());
        plane.apply(&nothing, &state)?;
        if let Some(file) = &file {
            snapshot::write(file, &state)?;
        }
        Ok(Self { state, plane, file })
    }

    /// What exists.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// What carries packets.
    #[must_use]
    pub fn plane(&self) -> &dyn Plane {
        &*self.plane
    }

    /// Takes one API request. Whatever the answer, state and network agree afterwards.
    pub fn submit(&mut self, request: &Request<'_>) -> Answer {
        self.settle(request.now);
        let plan = match api::plan(request, &self.state, &*self.plane) {
            Ok(plan) => plan,
            Err(refusal) => return refusal,
        };
        match self.commit(&plan.state) {
            Ok(()) => plan.answer,
            Err(error) => plan.refused(&error.to_string()),
        }
    }

    /// Lets something go wrong.
    ///
    /// # Errors
    /// When that is not possible.
    pub fn disturb(&mut self, how: &Disturbance) -> Result<(), PlaneError> {
        self.plane.disturb(&self.state, how)
    }

    /// Does what time asks for: targets that have drained are forgotten. `now` is in milliseconds since 1970.
    pub fn settle(&mut self, now: u64) {
        let mut next = self.state.clone();
        next.settle(now);
        // If the network cannot follow now, the next request tries again.
        let _ = self.commit(&next);
    }

    /// Takes everything down. The file stays: a lab raised from it is this one.
    ///
    /// # Errors
    /// When the network cannot be taken down.
    pub fn lower(&mut self) -> Result<(), PlaneError> {
        let nothing = State::new(self.state.settings.clone());
        self.plane.apply(&self.state, &nothing)
    }

    fn commit(&mut self, next: &State) -> Result<(), LabError> {
        if *next == self.state {
            return Ok(());
        }
        self.plane.apply(&self.state, next)?;
        if let Err(error) = self.keep(next) {
            self.plane.apply(next, &self.state)?;
            return Err(error.into());
        }
        self.state = next.clone();
        Ok(())
    }

    fn keep(&self, state: &State) -> Result<(), SnapshotError> {
        self.file.as_deref().map_or(Ok(()), |file: &Path| snapshot::write(file, state))
    }
}
