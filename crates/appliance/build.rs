//! Tells the binary which commit it was built from: `SLUICE_COMMIT` says (an image is built without `.git`), or the
//! checkout; "unknown" outside one.

use std::env;
use std::process::Command;

fn main() {
    let commit = env::var("SLUICE_COMMIT").unwrap_or_else(|_| checkout());
    println!("cargo::rustc-env=SLUICE_COMMIT={commit}");
    println!("cargo::rerun-if-env-changed=SLUICE_COMMIT");
    println!("cargo::rerun-if-changed=../../.git/HEAD");
    println!("cargo::rerun-if-changed=../../.git/index");
}

fn checkout() -> String {
    Command::new("git")
        .args(["describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"])
        .output()
        .ok()
        .filter(|output| output.status.success())
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .map_or_else(|| "unknown".to_owned(), |commit| commit.trim().to_owned())
}
