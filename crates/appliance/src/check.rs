//! `sluice check`: what a configuration and its rules come to, without starting anything.

use std::path::PathBuf;

use serde_json::json;

use crate::args;
use crate::policy_files::{self, PolicyError};
use crate::settings::{self, SettingsError};

/// Why the configuration cannot be run as it stands.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CheckError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Policy(#[from] PolicyError),
    #[error("{config}: {refused} of {seen} rules refused", config = .config.display())]
    Refused { config: PathBuf, refused: usize, seen: usize },
}

/// Read everything, tell every mistake, print the plan.
pub(crate) fn run(args: &args::Check) -> Result<(), CheckError> {
    let settings = settings::read(&args.config)?;
    let loading = policy_files::load(Some(settings.policy()), &[])?;
    let (seen, refused) = (loading.seen, loading.refusals.len());
    for refusal in &loading.refusals {
        eprintln!("{refusal}");
    }
    if args.json {
        println!("{}", json!({ "plan": settings.plan(), "rules": { "seen": seen, "refused": refused } }));
    } else {
        print!("{}", settings.plan());
        println!("rules      {} of {seen} loaded", seen - refused);
    }
    if refused > 0 {
        return Err(CheckError::Refused { config: args.config.clone(), refused, seen });
    }
    Ok(())
}
