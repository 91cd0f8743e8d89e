//! Patterns cut to what a group of flows can meet.
//!
//! ```text
//!  worker: a group is made ──▶ request ──▶ tailor, on a thread of its own: patterns of its rules alone
//!     └ until then, and if it never comes: the patterns of all rules     └──▶ the group's `OnceLock`
//! ```
//! A flow meets a tenth of a large set's rules, and fewer literals are found faster. Which groups traffic will make
//! nobody knows beforehand, and to compile one takes milliseconds, which a data core does not have. Whoever scans asks
//! each pattern's rule whether it is one of the group anyway, so nothing but the time depends on whose patterns it were.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, OnceLock};

use super::group::Bits;
use super::patterns::{Pattern, Patterns};
use super::rule::Rank;

/// Requests that may wait; more are not asked again.
const REQUESTS: usize = 1024;
/// Bytes that all patterns cut to groups may take.
const MEMORY: usize = 64 << 20;
/// Patterns beyond its own that a group may be given, so that few sets serve many groups: a quarter, and so many.
const SLACK: usize = 256;

/// Where a group finds its own patterns, once there are some.
pub(super) type Own = Arc<OnceLock<Arc<Patterns>>>;

/// A group that could do with patterns of its own.
#[derive(Debug)]
pub(super) struct Request {
    /// What it has until then.
    pub(super) all: Arc<Patterns>,
    /// By rank, of the whole set of rules.
    pub(super) patterns: Arc<[Option<Pattern>]>,
    /// The group's rules that patterns find.
    pub(super) rules: Bits,
    pub(super) own: Own,
}

/// The way from workers to the tailor.
#[derive(Clone, Debug)]
pub(super) struct Requests(SyncSender<Request>);

impl Requests {
    /// Asks, unless too many wait.
    pub(super) fn ask(&self, request: Request) {
        match self.0.try_send(request) {
            Ok(()) | Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {}
        }
    }
}

/// Compiles the patterns that workers ask for. It belongs to one [`Detector`](crate::Detector), and to a thread that no
/// packet waits for.
#[derive(Debug)]
pub struct Tailor {
    requests: Receiver<Request>,
    made: Vec<Made>,
    /// Those that grew. Groups have them still, and who frees a group must not be who frees its patterns: that takes long.
    outgrown: Vec<Arc<Patterns>>,
    memory: usize,
}

#[derive(Debug)]
struct Made {
    all: Arc<Patterns>,
    rules: Bits,
    patterns: Arc<Patterns>,
}

impl Tailor {
    pub(super) fn new() -> (Requests, Self) {
        let (sender, requests) = sync_channel(REQUESTS);
        (Requests(sender), Self { requests, made: Vec::new(), outgrown: Vec::new(), memory: 0 })
    }

    /// Serves requests as they come, until nobody judges by the detector any more.
    pub fn run(mut self) {
        while let Ok(request) = self.requests.recv() {
            self.serve(&request);
        }
    }

    /// Serves the requests that wait, and says how many there were.
    pub fn turn(&mut self) -> usize {
        let mut served = 0;
        while let Ok(request) = self.requests.try_recv() {
            self.serve(&request);
            served += 1;
        }
        served
    }

    fn serve(&mut self, request: &Request) {
        if let Some(patterns) = self.patterns(request) {
            // Each request has its own place, which is filled here only.
            let _ = request.own.set(patterns);
        }
    }

    /// What serves the group: patterns that are there, or that grow by what the group adds, or new ones.
    fn patterns(&mut self, Request { all, patterns, rules, .. }: &Request) -> Option<Arc<Patterns>> {
        let most = rules.len() + rules.len() / 4 + SLACK;
        let union = |made: &Made| Arc::ptr_eq(&made.all, all).then(|| made.rules.union(rules));
        let near = |made: &Made| union(made).filter(|union| union.len() <= most);
        let grown = self.made.iter().enumerate().find_map(|(nth, made)| Some((nth, near(made)?)));
        if let Some((nth, union)) = &grown
            && let Some(made) = self.made.get(*nth).filter(|made| made.rules.len() == union.len())
        {
            return Some(Arc::clone(&made.patterns));
        }
        if self.memory >= MEMORY {
            return None;
        }
        let (place, rules) = grown.map_or((None, rules.clone()), |(nth, union)| (Some(nth), union));
        let found = |rank: Rank| Some((rank, patterns.get(rank as usize)?.as_ref()?));
        let compiled = Arc::new(all.cut(rules.iter().filter_map(found)));
        self.memory += compiled.memory();
        let made = Made { all: Arc::clone(all), rules, patterns: Arc::clone(&compiled) };
        match place.and_then(|nth| self.made.get_mut(nth)) {
            Some(smaller) => self.outgrown.push(std::mem::replace(smaller, made).patterns),
            None => self.made.push(made),
        }
        Some(compiled)
    }
}
