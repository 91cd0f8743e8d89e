//! The table of fates, with frames of an independent tool.

use std::process::Command;

use libtest_mimic::Trial;

use crate::place::{binary, python, root, run, test};

pub(crate) fn trials() -> Vec<Trial> {
    vec![test("frames_built_by_scapy_meet_the_fates_of_the_table", || {
        run(Command::new(python()).arg(root().join("tests/scapy/fates.py")).arg(binary("sluice"))).map(drop)
    })]
}
