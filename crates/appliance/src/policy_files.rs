//! Rule files from disk to a policy, and what is told of rules that were refused.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use config::{ListSettings, PolicySettings};
use inspect::payload::sets::Places;
use inspect::{Detector, Outside, Tailor};
use policy::{
    DomainList, Feed, GroupError, ListKind, Listing, Lists, Loading, Order, Policy, RuleFile, RuleGroup,
    RuleSet, Settings, Variables,
};
use wire::EndpointId;

/// Why there is no policy.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PolicyError {
    #[error("{path}: {source}", path = .path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{path}: {source}", path = .path.display())]
    Group { path: PathBuf, source: GroupError },
    #[error("{refused} of {seen} rules refused, and --strict was given")]
    Refused { refused: usize, seen: usize },
}

/// The sets of rules of a configuration: that of `[policy]`, and those of endpoints that have rules of their own. Equal
/// ones are loaded once and shared.
pub(crate) struct RuleSets {
    loadings: Vec<Loading>,
    /// Which of the loadings is an endpoint's.
    endpoints: Vec<(EndpointId, usize)>,
    /// All rule files, the common set's first.
    files: Vec<PathBuf>,
}

impl RuleSets {
    /// Read all that a configuration names, and `more` behind each set; `more` alone without a configuration.
    pub(crate) fn read(settings: Option<&config::Settings>, more: &[PathBuf]) -> Result<Self, PolicyError> {
        let Some(settings) = settings else {
            return Ok(Self {
                loadings: vec![load(None, more)?],
                endpoints: Vec::new(),
                files: more.to_vec(),
            });
        };
        let mut different = vec![settings.policy()];
        let mut endpoints = Vec::new();
        for endpoint in settings.endpoints() {
            let known = different.iter().position(|known| **known == endpoint.policy);
            let at = known.unwrap_or_else(|| {
                different.push(&endpoint.policy);
                different.len() - 1
            });
            endpoints.push((EndpointId(endpoint.id), at));
        }
        let files = different.iter().flat_map(|settings| &settings.files).chain(more).cloned().collect();
        let loadings = different.into_iter().map(|settings| load(Some(settings), more));
        Ok(Self { loadings: loadings.collect::<Result<_, _>>()?, endpoints, files })
    }

    /// Each set's loading, the common one first.
    pub(crate) fn loadings(&self) -> &[Loading] {
        &self.loadings
    }

    /// Where rules are read from: what they name is looked for beside them.
    pub(crate) fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// The policy that they make.
    pub(crate) fn policy(self, generation: u64) -> Policy {
        let sets: Vec<Arc<RuleSet>> =
            self.loadings.into_iter().map(|loading| Arc::new(loading.rules)).collect();
        let common = sets.first().cloned().unwrap_or_default();
        let own = |(endpoint, at): (EndpointId, usize)| Some((endpoint, sets.get(at)?.clone()));
        let policy = Policy::new(generation, common);
        self.endpoints
            .into_iter()
            .filter(|(_, at)| *at > 0)
            .filter_map(own)
            .fold(policy, |policy, (endpoint, rules)| policy.with_tenant(endpoint, rules))
    }
}

/// Read the rule files that a configuration names, then `more`.
pub(crate) fn load(configured: Option<&PolicySettings>, more: &[PathBuf]) -> Result<Loading, PolicyError> {
    let named = configured.map_or(&[][..], |settings| &settings.files);
    let mut wanted = configured.map_or_else(as_the_reference, |settings| settings.rules.clone());
    let paths: Vec<&PathBuf> = named.iter().chain(more).collect();
    let files = (0_u16..)
        .zip(&paths)
        .map(|(nth, path)| read(path, nth, &mut wanted.variables))
        .collect::<Result<Vec<_>, _>>()?;
    let beside = paths.first().map(|path| path.with_file_name("classification.config"));
    let classes = match configured.and_then(|settings| settings.classification.clone()) {
        Some(path) => Some(path),
        None => beside.filter(|path| path.is_file()),
    };
    if let Some(path) = classes {
        wanted.classification.add(&bytes(&path)?);
    }
    let mut lists = Lists::default();
    let mut files: Vec<RuleFile> = files
        .into_iter()
        .map(|group| {
            lists.extend(group.lists);
            group.file
        })
        .collect();
    if let Some(settings) = configured.filter(|settings| !settings.lists.is_empty()) {
        for list in &settings.lists {
            read_list(list, &mut lists, &mut wanted.variables)?;
        }
        let listings: Vec<Listing> = settings.lists.iter().map(|list| list.listing.clone()).collect();
        files.push(Listing::rules(&listings, wanted.default_action));
    }
    Ok(Loading::knowing(&files, lists, &wanted))
}

/// What a configured list names; lines that say nothing are told on standard error.
fn read_list(
    ListSettings { file, listing, .. }: &ListSettings,
    lists: &mut Lists,
    variables: &mut Variables,
) -> Result<(), PolicyError> {
    let text = bytes(file)?;
    let (bad, told) = match listing.kind {
        ListKind::Domains(_) => {
            let DomainList { domains, bad, told } = DomainList::read(&text);
            lists.add(&listing.name, Arc::new(domains));
            (bad, told)
        }
        ListKind::Addresses => {
            let Feed { set, bad, told, .. } = Feed::read(&text);
            variables.set_feed(&listing.name, set);
            (bad, told)
        }
    };
    told.iter().for_each(|(line, why)| eprintln!("{}:{line}: {why}", file.display()));
    if bad > 0 {
        eprintln!("{}: {bad} lines say nothing; the others hold", file.display());
    }
    Ok(())
}

/// Rules and the domain lists that they name.
struct Read {
    file: RuleFile,
    lists: Lists,
}

/// A file of rules, or a rule group of AWS Network Firewall in JSON, which may say what names stand for.
fn read(path: &Path, nth: u16, variables: &mut Variables) -> Result<Read, PolicyError> {
    let (name, text) = (path.display().to_string(), bytes(path)?);
    if path.extension().is_none_or(|extension| extension != "json") {
        return Ok(Read { file: RuleFile { name: name.into(), text }, lists: Lists::default() });
    }
    let wrong = |source| PolicyError::Group { path: path.to_owned(), source };
    let group = RuleGroup::read(&name, &text, nth).map_err(wrong)?;
    group.define(variables).map_err(wrong)?;
    Ok(Read { file: group.file, lists: group.lists })
}

fn bytes(path: &Path) -> Result<Vec<u8>, PolicyError> {
    fs::read(path).map_err(|source| PolicyError::Read { path: path.to_owned(), source })
}

/// Compiles a policy, whose rules may name data sets beside the rule files, and tells which rules cannot be judged.
/// With `tells`, for a log of every transaction.
pub(crate) fn detector(policy: &Arc<Policy>, files: &[PathBuf], tells: bool) -> Arc<Detector> {
    let detector = compile(policy, files);
    tell_uncompiled(&detector);
    tailored(if tells { detector.telling() } else { detector })
}

/// A detector with a thread that cuts its patterns to the groups of flows that it meets.
pub(crate) fn tailored(detector: Detector) -> Arc<Detector> {
    let (detector, tailor) = detector.tailored();
    employ(tailor);
    Arc::new(detector)
}

/// Gives a tailor a thread, which ends with its detector.
pub(crate) fn employ(tailor: Tailor) {
    if let Err(error) = thread::Builder::new().name("patterns".to_owned()).spawn(|| tailor.run()) {
        eprintln!(
            "sluice: no thread cuts patterns to groups of flows, which costs time and nothing else: {error}"
        );
    }
}

/// Compiles a policy, whose rules may name data sets beside the rule files.
pub(crate) fn compile(policy: &Arc<Policy>, files: &[PathBuf]) -> Detector {
    let folders: Vec<PathBuf> = files.iter().filter_map(|file| file.parent()).map(Path::to_owned).collect();
    let places = Places { save: folders.first().cloned(), load: folders };
    Detector::knowing(policy.clone(), Outside::new(places))
}

/// Tell on standard error which rules cannot be judged after all.
pub(crate) fn tell_uncompiled(detector: &Detector) {
    for refused in detector.uncompiled() {
        eprintln!("sid {}: {}; the rule does not hold", refused.sid, refused.why);
    }
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
pub(crate) fn strict<'a>(
    strict: bool,
    loadings: impl IntoIterator<Item = &'a Loading>,
) -> Result<(), PolicyError> {
    let (refused, seen) =
        loadings.into_iter().fold((0, 0), |(refused, seen), one| (refused + one.refused, seen + one.seen));
    if strict && refused > 0 { Err(PolicyError::Refused { refused, seen }) } else { Ok(()) }
}

/// How rules are read of which no configuration says more: as the reference reads them.
fn as_the_reference() -> Settings {
    Settings { order: Order::Action, ..Settings::default() }
}
