//! Any text as a configuration: it is valid, or every problem has a line of the file.
#![no_main]

use config::{Machine, Settings};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let machine = Machine { cpus: vec![0, 1, 2, 5], huge_page_bytes: 1 << 28 };
    match Settings::from_toml("F", text, &machine) {
        Ok(settings) => {
            let pool = &settings.plan().mempool;
            assert!(pool.mbufs >= pool.needed);
            assert!(!settings.plan().to_string().is_empty());
        }
        Err(error) => {
            assert!(!error.problems.is_empty());
            let lines = text.matches('\n').count() + 1;
            assert!(error.problems.iter().all(|problem| (1..=lines).contains(&problem.line)));
        }
    }
});
