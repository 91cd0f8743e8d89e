//! `sluice rules`: what rule files come to, without a configuration or with one.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use policy::{Action, LoadedRule, Loading, Refusal, Warning};
use serde::Serialize;

use crate::args;
use crate::policy_files::{self, PolicyError};
use crate::settings::{self, SettingsError};

/// Why rule files are not what was asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RulesError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Policy(#[from] PolicyError),
    #[error("{path}: {source}", path = .path.display())]
    Export { path: PathBuf, source: io::Error },
    #[error("standard output: {0}")]
    Output(#[from] io::Error),
}

/// Read the files and tell what they come to.
pub(crate) fn run(args: &args::Rules) -> Result<(), RulesError> {
    let settings = args.config.as_deref().map(settings::read).transpose()?;
    let loading = policy_files::load(settings.as_ref().map(config::Settings::policy), &args.files)?;
    if let Some(path) = &args.export {
        export(path, &loading).map_err(|source| RulesError::Export { path: path.clone(), source })?;
    }
    let mut out = BufWriter::new(io::stdout().lock());
    if args.json {
        // Text and numbers under fixed keys always serialize.
        writeln!(out, "{}", serde_json::to_string(&Report::of(&loading)).unwrap_or_default())?;
    } else {
        policy_files::tell(&loading);
        if args.list {
            loading.rules.iter().try_for_each(|loaded| writeln!(out, "{}", line(loaded)))?;
        }
        write!(out, "{}", summary(&loading))?;
    }
    out.flush()?;
    Ok(policy_files::strict(args.strict, [&loading])?)
}

/// The loaded rules as one file, each as it was understood.
fn export(path: &Path, loading: &Loading) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    loading.rules.iter().try_for_each(|loaded| writeln!(out, "{}", loaded.rule))?;
    out.flush()
}

fn line(loaded: &LoadedRule) -> String {
    let about = &loaded.rule.about;
    let msg = about.msg.as_deref().unwrap_or_default();
    format!(
        "{:>10} rev {:<3} priority {} {:<6} {} {msg}",
        about.sid,
        about.rev,
        loaded.priority,
        action(loaded.rule.action),
        loaded.rule.header.protocol
    )
}

fn action(action: Action) -> &'static str {
    match action {
        Action::Alert => "alert",
        Action::Pass => "pass",
        Action::Drop => "drop",
        Action::Reject(_) => "reject",
    }
}

/// Counts for people: of rules, by action, and of refusals by what they share.
fn summary(loading: &Loading) -> String {
    let mut actions: BTreeMap<&str, usize> = BTreeMap::new();
    for loaded in loading.rules.iter() {
        *actions.entry(action(loaded.rule.action)).or_default() += 1;
    }
    let mut options: BTreeMap<&str, usize> = BTreeMap::new();
    for refusal in &loading.refusals {
        *options.entry(refusal.option.as_deref().unwrap_or("(header)")).or_default() += 1;
    }
    let mut options: Vec<(&str, usize)> = options.into_iter().collect();
    options.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let list = |counts: &mut dyn Iterator<Item = (&str, usize)>| -> String {
        counts.map(|(name, count)| format!("  {count:>10} {name}\n")).collect()
    };
    format!(
        "rules    {:>8}\nloaded   {:>8}\n{}refused  {:>8}\n{}warnings {:>8}\n",
        loading.seen,
        loading.rules.len(),
        list(&mut actions.into_iter()),
        loading.refused,
        list(&mut options.into_iter()),
        loading.warnings.len()
    )
}

/// What the files come to, for programs.
#[derive(Serialize)]
struct Report<'a> {
    rules: usize,
    loaded: usize,
    refused: usize,
    refusals: Vec<Refused<'a>>,
    warnings: Vec<Warned<'a>>,
}

#[derive(Serialize)]
struct Refused<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    sid: Option<u32>,
    option: Option<&'a str>,
    why: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    suggestion: Option<&'a str>,
}

#[derive(Serialize)]
struct Warned<'a> {
    file: &'a str,
    line: usize,
    sid: u32,
    why: String,
}

impl<'a> Report<'a> {
    fn of(loading: &'a Loading) -> Self {
        let refused = |refusal: &'a Refusal| Refused {
            file: &refusal.place.file,
            line: refusal.place.line,
            column: refusal.place.column,
            sid: refusal.sid,
            option: refusal.option.as_deref(),
            why: refusal.why.to_string(),
            suggestion: refusal.suggestion.as_deref(),
        };
        let warned = |warning: &'a Warning| Warned {
            file: &warning.place.file,
            line: warning.place.line,
            sid: warning.sid,
            why: warning.caution.to_string(),
        };
        Self {
            rules: loading.seen,
            loaded: loading.rules.len(),
            refused: loading.refused,
            refusals: loading.refusals.iter().map(refused).collect(),
            warnings: loading.warnings.iter().map(warned).collect(),
        }
    }
}
