//! The container image, where there is podman.

use std::process::Command;

use libtest_mimic::Trial;

use crate::place::root;
use crate::trial::{root_test, run};

pub(crate) fn trials() -> Vec<Trial> {
    let trial = root_test("containers_of_the_image_forward_the_labs_traffic", || {
        run(&mut Command::new(root().join("tests/image.sh"))).map(drop)
    });
    let has_podman = Command::new("podman").arg("--version").output().is_ok();
    if !has_podman {
        eprintln!("containers_of_the_image_forward_the_labs_traffic: there is no podman; skipped");
    }
    vec![if has_podman { trial } else { trial.with_ignored_flag(true) }]
}
