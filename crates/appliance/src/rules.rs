//! `sluice rules`: what rule files come to, without a configuration or with one.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use inspect::{Detector, Uncompiled};
use policy::{Action, LoadedRule, Loading, Policy, Refusal, RuleSet, Warning};
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
    let configured = settings.as_ref().map(config::Settings::policy);
    let mut loading = policy_files::load(configured, &args.files)?;
    let named = configured.into_iter().flat_map(|policy| &policy.files).chain(&args.files);
    let files: Vec<PathBuf> = named.cloned().collect();
    let rules = Arc::new(std::mem::take(&mut loading.rules));
    // Some rules show only now that they cannot be judged: by their expressions, or by sets that they name.
    let detector = policy_files::compile(&Arc::new(Policy::new(0, Arc::clone(&rules))), &files);
    let understood = Understood { loading, rules: &rules, detector: &detector };
    if let Some(path) = &args.export {
        understood.export(path).map_err(|source| RulesError::Export { path: path.clone(), source })?;
    }
    match understood.tell(args) {
        // Whoever reads has read enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
        told => told?,
    }
    let refused = understood.refused();
    match args.strict && refused > 0 {
        true => Err(PolicyError::Refused { refused, seen: understood.loading.seen }.into()),
        false => Ok(()),
    }
}

/// Rule files, and what became of each rule.
struct Understood<'a> {
    /// All but the rules themselves.
    loading: Loading,
    rules: &'a RuleSet,
    detector: &'a Detector,
}

impl Understood<'_> {
    fn refused(&self) -> usize {
        self.loading.refused + self.detector.uncompiled().len()
    }

    /// The rules that hold, in their order.
    fn loaded(&self) -> impl Iterator<Item = &LoadedRule> {
        let mut uncompiled: Vec<usize> =
            self.detector.uncompiled().iter().map(|refused| refused.rule.0 as usize).collect();
        uncompiled.sort_unstable();
        let holds = move |(nth, _): &(usize, &LoadedRule)| uncompiled.binary_search(nth).is_err();
        self.rules.iter().enumerate().filter(holds).map(|(_, loaded)| loaded)
    }

    /// The rules that hold as one file, each as it was understood.
    fn export(&self, path: &Path) -> io::Result<()> {
        let mut out = BufWriter::new(File::create(path)?);
        self.loaded().try_for_each(|loaded| writeln!(out, "{}", loaded.rule))?;
        out.flush()
    }

    fn tell(&self, args: &args::Rules) -> io::Result<()> {
        let mut out = BufWriter::new(io::stdout().lock());
        if args.json {
            // Text and numbers under fixed keys always serialize.
            writeln!(out, "{}", serde_json::to_string(&Report::of(self)).unwrap_or_default())?;
        } else {
            policy_files::tell(&self.loading);
            policy_files::tell_uncompiled(self.detector);
            if args.list {
                self.loaded().try_for_each(|loaded| writeln!(out, "{}", line(loaded)))?;
            }
            write!(out, "{}", self.summary())?;
        }
        out.flush()
    }

    /// Counts for people: of rules, by action, and of refusals by what they share.
    fn summary(&self) -> String {
        let mut actions: BTreeMap<&str, usize> = BTreeMap::new();
        for loaded in self.loaded() {
            *actions.entry(action(loaded.rule.action)).or_default() += 1;
        }
        let mut options: BTreeMap<&str, usize> = BTreeMap::new();
        for refusal in &self.loading.refusals {
            *options.entry(refusal.option.as_deref().unwrap_or("(header)")).or_default() += 1;
        }
        for _ in self.detector.uncompiled() {
            *options.entry("(cannot be judged)").or_default() += 1;
        }
        let mut options: Vec<(&str, usize)> = options.into_iter().collect();
        options.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let list = |counts: &mut dyn Iterator<Item = (&str, usize)>| -> String {
            counts.map(|(name, count)| format!("  {count:>10} {name}\n")).collect()
        };
        format!(
            "rules    {:>8}\nloaded   {:>8}\n{}refused  {:>8}\n{}left out {:>8}\nwarnings {:>8}\n",
            self.loading.seen,
            actions.values().sum::<usize>(),
            list(&mut actions.into_iter()),
            self.refused(),
            list(&mut options.into_iter()),
            self.loading.skipped,
            self.loading.warnings.len()
        )
    }
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

/// What the files come to, for programs.
#[derive(Serialize)]
struct Report<'a> {
    rules: usize,
    loaded: usize,
    refused: usize,
    /// Left out, because they require what is not here.
    skipped: usize,
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
    fn of(understood: &'a Understood<'_>) -> Self {
        let refused = |refusal: &'a Refusal| Refused {
            file: &refusal.place.file,
            line: refusal.place.line,
            column: refusal.place.column,
            sid: refusal.sid,
            option: refusal.option.as_deref(),
            why: refusal.why.to_string(),
            suggestion: refusal.suggestion.as_deref(),
        };
        let uncompiled = |refused: &'a Uncompiled| {
            let place = &understood.rules.get(refused.rule)?.place;
            let (sid, why) = (Some(refused.sid), refused.why.to_string());
            let (file, line, column) = (&*place.file, place.line, place.column);
            Some(Refused { file, line, column, sid, option: None, why, suggestion: None })
        };
        let warned = |warning: &'a Warning| Warned {
            file: &warning.place.file,
            line: warning.place.line,
            sid: warning.sid,
            why: warning.caution.to_string(),
        };
        let Understood { loading, rules, detector } = understood;
        let not_compiled = detector.uncompiled();
        Self {
            rules: loading.seen,
            loaded: rules.len() - not_compiled.len(),
            refused: understood.refused(),
            skipped: loading.skipped,
            refusals: loading
                .refusals
                .iter()
                .map(refused)
                .chain(not_compiled.iter().filter_map(uncompiled))
                .collect(),
            warnings: loading.warnings.iter().map(warned).collect(),
        }
    }
}
