//! Rule files from disk to a policy, and what is told of rules that were refused.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use config::PolicySettings;
use policy::{Loading, Order, Policy, RuleFile, Settings};

/// Why there is no policy.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PolicyError {
    #[error("{path}: {source}", path = .path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{refused} of {seen} rules refused, and --strict was given")]
    Refused { refused: usize, seen: usize },
}

/// Read the rule files that a configuration names, then `more`.
pub(crate) fn load(configured: Option<&PolicySettings>, more: &[PathBuf]) -> Result<Loading, PolicyError> {
    let named = configured.map_or(&[][..], |settings| &settings.files);
    let wanted = configured.map_or_else(as_the_reference, |settings| settings.rules.clone());
    let files = named.iter().chain(more).map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
    Ok(Loading::new(&files, &wanted))
}

/// The first policy of a process.
pub(crate) fn policy(loading: Loading) -> Arc<Policy> {
    Arc::new(Policy::new(1, Arc::new(loading.rules)))
}

fn read(path: &Path) -> Result<RuleFile, PolicyError> {
    let text = fs::read(path).map_err(|source| PolicyError::Read { path: path.to_owned(), source })?;
    Ok(RuleFile { name: path.display().to_string().into(), text })
}

/// Tell on standard error which rules were refused and why.
pub(crate) fn tell_refusals(loading: &Loading) {
    for refusal in &loading.refusals {
        eprintln!("{refusal}");
    }
    if loading.refused > 0 {
        eprintln!("{} of {} rules refused; the others hold", loading.refused, loading.seen);
    }
}

/// As [`tell_refusals`], and what is probably not meant.
pub(crate) fn tell(loading: &Loading) {
    for warning in &loading.warnings {
        eprintln!("warning: {warning}");
    }
    tell_refusals(loading);
}

/// Whether the rules may be used: with `strict`, only if none was refused.
pub(crate) fn strict(strict: bool, loading: &Loading) -> Result<(), PolicyError> {
    match loading.refused {
        refused @ 1.. if strict => Err(PolicyError::Refused { refused, seen: loading.seen }),
        _ => Ok(()),
    }
}

/// How rules are read of which no configuration says more: as the reference reads them.
fn as_the_reference() -> Settings {
    Settings { order: Order::Action, ..Settings::default() }
}
