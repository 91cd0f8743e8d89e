//! `sluice check`: what a configuration and its rules come to, without starting anything.

use policy::Loading;
use serde_json::json;

use crate::args;
use crate::policy_files::{self, PolicyError, RuleSets};
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
    let sets = RuleSets::read(Some(&settings), &[])?;
    sets.loadings().iter().for_each(policy_files::tell);
    let sum = |figure: fn(&Loading) -> usize| -> usize { sets.loadings().iter().map(figure).sum() };
    let (seen, refused) = (sum(|loading| loading.seen), sum(|loading| loading.refused));
    let skipped = sum(|loading| loading.skipped);
    if args.json {
        println!("{}", json!({ "plan": settings.plan(), "rules": { "seen": seen, "refused": refused } }));
    } else {
        print!("{}", settings.plan());
        println!("rules      {} of {seen} loaded", seen - refused - skipped);
    }
    Ok(policy_files::strict(args.strict, sets.loadings())?)
}
