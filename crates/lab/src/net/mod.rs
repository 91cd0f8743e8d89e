//! The network driver: makes the kernel equal to the state, in namespaces of its own.
//!
//! ```text
//!  state ──compile──▶ items ──diff──▶ steps ──execute──▶ ip, nft, ethtool
//!   (pure)            (a set)  (pure)        └ on failure: the inverse steps, backwards
//! ```
//! Nothing is linked to the root namespace, and every namespace's name begins with the lab's prefix, so that the leftovers of
//! a run that was killed are found and removed by their names.

pub mod compile;
pub mod item;
mod kernel;
pub mod names;
pub mod namespace;
pub mod step;

use std::collections::BTreeSet;
use std::process::Command;

use item::Item;
pub use kernel::KernelError;
use step::{Step, diff};

/// What stands in the kernel, as far as this process made it.
#[derive(Debug, Default)]
pub struct Network {
    items: BTreeSet<Item>,
}

impl Network {
    /// Make the kernel equal to `items`.
    ///
    /// # Errors
    /// The first step that could not be made. What was made before it is undone.
    pub fn apply(&mut self, items: BTreeSet<Item>) -> Result<(), KernelError> {
        let steps = diff(&self.items, &items);
        let mut done: Vec<&[Step]> = Vec::new();
        for chunk in steps.chunk_by(|a, b| kernel::kind(a) == kernel::kind(b)) {
            done.push(chunk);
            if let Err(error) = kernel::execute(chunk) {
                for step in done.into_iter().rev().flatten().rev() {
                    // some of the last chunk's steps were never made, so some inverses fail
                    let _ = kernel::execute(&[step.clone().inverse()]);
                }
                return Err(error);
            }
        }
        self.items = items;
        Ok(())
    }

    /// Take the device `name` of `namespace` away behind the state's back, and forget it with all that needs it, so that the
    /// next [`Network::apply`] makes it anew.
    ///
    /// # Errors
    /// When there is no such device.
    pub fn lose(&mut self, namespace: &str, name: &str) -> Result<(), KernelError> {
        let device = (namespace, name);
        let made: Vec<Step> = self
            .items
            .iter()
            .filter(|item| item.makes().contains(&device))
            .cloned()
            .map(Step::Remove)
            .collect();
        if made.is_empty() {
            return Err(KernelError::NoDevice(name.to_owned(), namespace.to_owned()));
        }
        kernel::execute(&made)?;
        self.forget(|item| item.makes().contains(&device) || item.needs().contains(&device));
        Ok(())
    }

    /// Forget `item`, which something else took away, so that the next [`Network::apply`] makes it anew.
    pub fn forget(&mut self, lost: impl Fn(&Item) -> bool) {
        self.items.retain(|item| !lost(item));
    }
}

/// Remove every namespace whose name begins with `prefix`, and end the processes in them: what a run that was killed left.
///
/// # Errors
/// When a namespace cannot be removed.
pub fn clean(prefix: &str) -> Result<(), KernelError> {
    let names = namespace::of_prefix(prefix).map_err(|error| KernelError::Run("ip", error))?;
    for name in &names {
        let pids = Command::new("ip").args(["netns", "pids", name]).output();
        let pids = pids.map_err(|error| KernelError::Run("ip", error))?.stdout;
        for pid in String::from_utf8_lossy(&pids).split_whitespace().filter_map(|pid| pid.parse().ok()) {
            // it may have ended by itself meanwhile
            let _ = rustix::process::Pid::from_raw(pid)
                .map(|pid| rustix::process::kill_process(pid, rustix::process::Signal::KILL));
        }
    }
    let steps: Vec<_> = names.into_iter().map(|name| Step::Remove(Item::Namespace(name))).collect();
    if steps.is_empty() { Ok(()) } else { kernel::execute(&steps) }
}
