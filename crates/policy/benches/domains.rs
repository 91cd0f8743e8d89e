//! A million domains: nanoseconds a look-up and megabytes, beside what one would take instead: `cargo bench -p policy`.
//!
//! Names and their lengths are made as lists have them, in two to four labels of words and digits; half of the entries
//! stand for what is below them too. A batch of 256 names, taken at random, lies in the cache, as a name does that was just
//! read from a packet; what is looked up does not, since every batch has other names. `alone` lets each look-up wait for the
//! one before. The median batch of 4,000, since a shared machine only adds. What one read of that much memory costs here is
//! the bound: a name that is listed cannot be had for less.

#![allow(clippy::cast_possible_truncation)] // figures: counts and shares far below any limit

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use aho_corasick::AhoCorasick;
use hashbrown::HashSet;
use policy::{Domain, Domains};

const NAMES: u64 = 1_000_000;
const BATCH: u64 = 256;
const BATCHES: u64 = 4_000;
/// What is promised, for a million names.
const NANOSECONDS_MAX: f64 = 100.0;
const MEGABYTES_MAX: f64 = 100.0;

/// The system's allocator, which counts what is held, and lays large blocks on huge pages as the appliance's does.
struct Counting;
static HELD: AtomicUsize = AtomicUsize::new(0);
#[global_allocator]
static ALLOCATOR: Counting = Counting;
/// Blocks of at least this many bytes are large.
const LARGE: usize = 4 << 20;

fn wide(layout: Layout) -> Layout {
    if layout.size() < LARGE { layout } else { layout.align_to(2 << 20).unwrap_or(layout) }
}

// SAFETY: every block is the system allocator's, asked for and given back with the same function of its layout.
unsafe impl GlobalAlloc for Counting {
    // SAFETY: the caller gives a layout of some bytes.
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's layout has a size, and a wider one has the same.
        let block = unsafe { System.alloc(wide(layout)) };
        if layout.size() >= LARGE && !block.is_null() {
            // SAFETY: the range is the block. Where the kernel has no huge pages it says so, and nothing is lost.
            unsafe { libc::madvise(block.cast(), layout.size(), libc::MADV_HUGEPAGE) };
        }
        block
    }

    // SAFETY: the caller gives back a block of `alloc`, with the layout that it was asked for with.
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the block was asked for with this layout.
        unsafe { System.dealloc(block, wide(layout)) }
    }
}

fn main() {
    let entries: Vec<String> = (0..NAMES).map(entry).collect();
    let (hits, misses) = (names(true), names(false));
    println!("a million names   MB | ns: listed, not listed | alone | found");
    let ours = measure(
        "Domains",
        (&hits, &misses),
        || entries.iter().flat_map(|entry| Domain::parse(entry)).collect::<Domains>(),
        |domains, name| domains.contains(name.as_bytes()),
    );
    measure(
        "HashSet<String>",
        (&hits, &misses),
        || entries.iter().cloned().collect::<HashSet<String, foldhash::fast::RandomState>>(),
        in_strings,
    );
    measure(
        "aho-corasick",
        (&hits, &misses),
        || {
            // Behind every name stands an end, before those that stand alone a beginning.
            let whole = |entry: &String| match entry.strip_prefix('.') {
                Some(_) => format!("{entry}$"),
                None => format!("^{entry}$"),
            };
            AhoCorasick::new(entries.iter().map(whole)).ok()
        },
        |automaton, name| automaton.as_ref().is_some_and(|all| all.is_match(&format!("^.{name}$"))),
    );
    println!("one read of memory     | {:10.1}", read_of_memory());
    let (nanoseconds, megabytes) = ours;
    let kept = nanoseconds < NANOSECONDS_MAX && megabytes < MEGABYTES_MAX;
    println!("under {NANOSECONDS_MAX} ns and {MEGABYTES_MAX} MB: {}", if kept { "kept" } else { "NOT KEPT" });
}

/// Prints a contender; gives nanoseconds of the slower of hits and misses, and megabytes.
fn measure<T>(
    name: &str,
    (hits, misses): (&[String], &[String]),
    make: impl FnOnce() -> T,
    has: impl Fn(&T, &str) -> bool,
) -> (f64, f64) {
    let before = HELD.load(Ordering::Relaxed);
    let set = make();
    let megabytes = (HELD.load(Ordering::Relaxed) - before) as f64 / 1e6;
    let has = |name: &str| has(&set, name);
    let (listed, found) = look_up(hits, has, false);
    let (strange, wrongly) = look_up(misses, has, false);
    let (alone, _) = look_up(hits, has, true);
    println!(
        "{name:16} {megabytes:5.1} | {listed:10.1} {strange:11.1} | {alone:5.1} | {found:5.3} {wrongly:5.3}"
    );
    (listed.max(strange), megabytes)
}

/// Nanoseconds a look-up, and the part of the names that was found; `waits`: a look-up begins when the one before has ended.
fn look_up(names: &[String], has: impl Fn(&str) -> bool, waits: bool) -> (f64, f64) {
    let mut batches = Vec::with_capacity(BATCHES as usize);
    let mut found = 0;
    for batch in 0..BATCHES {
        let place = |nth: u64| at(mix(batch * BATCH + nth + 1), names.len());
        // One text, so that reading the names costs no miss.
        let (mut text, mut ends) = (String::new(), Vec::new());
        for nth in 0..BATCH {
            text.push_str(&names[place(nth)]);
            ends.push(text.len());
        }
        let (mut start, mut before) = (0, 0);
        let clock = Instant::now();
        for end in ends {
            // Nothing is added, but only who has waited for the answer knows.
            let wait = if waits { black_box(before) & BATCH as usize } else { 0 };
            let is_in = has(&text[start + wait..end]);
            (found, before, start) = (found + usize::from(is_in), usize::from(is_in), end);
        }
        batches.push(clock.elapsed().as_secs_f64() * 1e9 / BATCH as f64);
    }
    batches.sort_by(f64::total_cmp);
    (batches[batches.len() / 2], found as f64 / (BATCHES * BATCH) as f64)
}

/// Nanoseconds of a read of 32 MB at random, each waiting for the one before; the median, too.
fn read_of_memory() -> f64 {
    let places: u64 = 1 << 22;
    let next: Vec<u64> = (0..places).map(|n| (n.wrapping_mul(0x9e37_79b9) + 0x1_2345) % places).collect();
    let mut place = 0;
    let batch = |_| {
        let clock = Instant::now();
        for _ in 0..BATCH {
            place = next[place as usize];
        }
        clock.elapsed().as_secs_f64() * 1e9 / BATCH as f64
    };
    let mut batches: Vec<f64> = (0..BATCHES).map(batch).collect();
    black_box(place);
    batches.sort_by(f64::total_cmp);
    batches[batches.len() / 2]
}

/// Asks a table of strings for every suffix.
fn in_strings(set: &HashSet<String, foldhash::fast::RandomState>, name: &str) -> bool {
    let below = |(dot, _)| set.contains(&name[dot..]);
    set.contains(name) || set.contains(&format!(".{name}")) || name.match_indices('.').any(below)
}

/// Names that are listed, or that are not but look like it.
fn names(listed: bool) -> Vec<String> {
    let name = |n: u64| {
        let entry = entry(n);
        let (base, below) = entry.strip_prefix('.').map_or((entry.as_str(), false), |base| (base, true));
        match (listed, below) {
            (true, false) => base.to_owned(),
            (true, true) => format!("{}.{base}", WORDS[at(mix(n + 3), WORDS.len())]),
            (false, _) => base.replacen('.', "-.", 1),
        }
    };
    (0..NAMES).map(name).collect()
}

/// The `n`th entry.
fn entry(n: u64) -> String {
    let random = mix(n);
    let word = |shift: u32| WORDS[at(random.rotate_left(shift) ^ n, WORDS.len())];
    let end = ["com", "net", "org", "de", "co.uk", "io", "com.br", "info"][at(mix(n + 1), 8)];
    let host = ["", "www.", "mail.", "cdn-7.", "api.", "static.eu-west-1.", ""][at(mix(n + 2), 7)];
    let dot = if n.is_multiple_of(2) { "." } else { "" };
    format!("{dot}{host}{}{}{}.{end}", word(7), word(29), random % 9973)
}

/// A place among so many, by a random number.
fn at(random: u64, many: usize) -> usize {
    ((u128::from(random) * many as u128) >> 64) as usize
}

/// A number without pattern, and another for every `n` (splitmix64's finaliser).
fn mix(n: u64) -> u64 {
    let n = (n ^ n >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ n >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ n >> 31
}

const WORDS: [&str; 24] = [
    "cloud", "shop", "news", "mail", "data", "game", "tech", "blue", "fast", "home", "art", "zone", "market",
    "bank", "photo", "travel", "secure", "login", "stream", "book", "green", "city", "trade", "update",
];
