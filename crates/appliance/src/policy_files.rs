//! Rule files from disk to a policy, and what is told of rules that were refused.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use config::{DefaultAction, PolicySettings, RuleOrder};
use policy::{Loading, Policy, RuleFile, Why};

/// Why no policy could be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PolicyError {
    #[error("{path}: {source}", path = .path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("policy.vars.{name}: {why}")]
    Variable { name: String, why: Why },
}

/// Read the rule files that a configuration file names, as seen from where it is, then `more`.
pub(crate) fn load(
    configured: Option<(&Path, &PolicySettings)>,
    more: &[PathBuf],
) -> Result<Loading, PolicyError> {
    let (named, wanted) = match configured {
        Some((config, settings)) => {
            let folder = config.parent().unwrap_or(Path::new(""));
            (settings.rules.iter().map(|rules| folder.join(rules)).collect(), policy_settings(settings)?)
        }
        None => (Vec::new(), policy::Settings::default()),
    };
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

fn policy_settings(settings: &PolicySettings) -> Result<policy::Settings, PolicyError> {
    let mut wanted = policy::Settings {
        order: match settings.order {
            RuleOrder::Strict => policy::Order::Strict,
            RuleOrder::Action => policy::Order::Action,
        },
        default_action: match settings.default {
            DefaultAction::Forward => policy::DefaultAction::Forward,
            DefaultAction::Drop => policy::DefaultAction::Drop,
        },
        ..policy::Settings::default()
    };
    for (name, list) in &settings.vars {
        // By the reference's convention a variable of ports is one whose name says so.
        let set = if name.ends_with("PORT") || name.ends_with("PORTS") {
            wanted.variables.set_ports(name, list)
        } else {
            wanted.variables.set_addresses(name, list)
        };
        set.map_err(|why| PolicyError::Variable { name: name.clone(), why })?;
    }
    Ok(wanted)
}

/// Tell on standard error which rules were refused and why.
pub(crate) fn tell_refusals(loading: &Loading) {
    for refusal in &loading.refusals {
        eprintln!("{refusal}");
    }
    if !loading.refusals.is_empty() {
        eprintln!("{} of {} rules refused; the others hold", loading.refusals.len(), loading.seen);
    }
}
