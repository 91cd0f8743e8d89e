//! `sluice inspect` over captures that an independent tool built.

use std::process::Command;

use libtest_mimic::{Failed, Trial};

use crate::place::{binary, root};
use crate::trial::{python, run, test};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test("frames_built_by_scapy_meet_the_fates_of_the_table", || scapy("fates.py")),
        test("captures_of_every_format_are_judged_alike_and_broken_ones_end_with_a_reason", || {
            scapy("captures.py")
        }),
    ]
}

fn scapy(script: &str) -> Result<(), Failed> {
    run(Command::new(python()).arg(root().join("tests/scapy").join(script)).arg(binary("sluice"))).map(drop)
}
