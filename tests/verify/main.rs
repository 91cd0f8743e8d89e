//! What Sluice tells of recorded traffic, beside what a reference engine told: `../shared/verify` holds captures, rules and
//! the reference's alerts. They are not part of the project; where they are not, the test is ignored, and counted so.
//!
//! ```text
//! case folder ─▶ copy ─▶ sluice inspect --encap none --passive ─▶ EVE ─▶ multiset of (sid, five-tuple) ─▶ compared
//! ```
//! `SLUICE_VERIFY=name[,name…]` runs only cases whose names contain one of these words and prints what was expected, what
//! came, and what Sluice said; `SLUICE_BINARIES=target/debug` takes the binary from there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test fails by panicking

mod alert;
mod case;
#[path = "../system/place.rs"]
mod place;
mod report;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

use libtest_mimic::{Arguments, Failed, Trial};

use case::{Case, Outcome};
use report::Report;

/// How many cases of `cases/` agree at least, of 182, and how many of the 31 captures of `et/`. Raise them as more do.
const CASES_FLOOR: usize = 177;
const ET_FLOOR: usize = 29;

fn main() {
    let arguments = Arguments::from_args();
    let folder = place::root().join("../shared/verify");
    if let Ok(words) = std::env::var("SLUICE_VERIFY") {
        explain(&folder, &words);
        return;
    }
    let there = folder.join("cases").is_dir();
    let trials = [("cases", CASES_FLOOR), ("et", ET_FLOOR)].map(|(set, floor)| {
        let folder = folder.clone();
        Trial::test(format!("{set}_tell_what_the_reference_tells"), move || verify(&folder, set, floor))
            .with_ignored_flag(!there)
    });
    if !there {
        eprintln!("no ../shared/verify beside the project; skipped");
    }
    libtest_mimic::run(&arguments, trials.into()).exit();
}

/// Run every case of a set, print what came of them, and fail below the floor.
fn verify(folder: &Path, set: &str, floor: usize) -> Result<(), Failed> {
    let mut report = Report::default();
    for (case, outcome) in run(cases(folder, set)) {
        report.add(case.name, outcome);
    }
    print!("{set}: {report}");
    report.verdict(floor).map_err(Failed::from)
}

/// Run only some cases and print everything about them.
fn explain(folder: &Path, words: &str) {
    let wanted = |case: &Case| words.split(',').any(|word| case.name.contains(word));
    let cases = ["cases", "et"].iter().flat_map(|set| cases(folder, set)).filter(wanted).collect();
    for (case, outcome) in run(cases) {
        println!("=== {}\n{}", case.name, outcome.explained());
    }
}

fn cases(folder: &Path, set: &str) -> Vec<Case> {
    let rules = folder.join("../rules/et-open.rules");
    let cases = match set {
        "et" => Case::all_of_et(&folder.join("et"), &rules),
        _ => Case::all_of(&folder.join("cases")),
    };
    cases.unwrap_or_else(|error| panic!("{}: {error}", folder.join(set).display()))
}

/// Run cases on as many threads as there are CPUs; what came of them in their own order.
fn run(cases: Vec<Case>) -> Vec<(Case, Outcome)> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let scratch: PathBuf = place::root().join("target/tests/verify");
    let binary = place::binary("sluice");
    let (left, done) = (Mutex::new(cases), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(case) = { left.lock().unwrap().pop() } {
                    let outcome = case.run(&binary, &scratch);
                    done.lock().unwrap().push((case, outcome));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
    done
}
