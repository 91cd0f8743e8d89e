//! `sluice check`: what a configuration and its rules come to, without starting anything.

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
}

/// Read everything, tell every mistake, print the plan.
pub(crate) fn run(args: &args::Check) -> Result<(), CheckError> {
    let settings = settings::read(&args.config)?;
    let loading = policy_files::load(Some(settings.policy()), &[])?;
    let (seen, refused) = (loading.seen, loading.refused);
    policy_files::tell(&loading);
    if args.json {
        println!("{}", json!({ "plan": settings.plan(), "rules": { "seen": seen, "refused": refused } }));
    } else {
        print!("{}", settings.plan());
        println!("rules      {} of {seen} loaded", seen - refused);
    }
    Ok(policy_files::strict(args.strict, &loading)?)
}
