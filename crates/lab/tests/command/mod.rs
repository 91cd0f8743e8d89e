//! The real `aws` command line against the real `gwlb-lab`. It is taken from the path, or installed once into the target
//! directory; where neither can be, the tests say that they are skipped.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "what a test builds on must be there")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// A lab of its own, taken down at the end.
pub struct Lab {
    pub dir: PathBuf,
    aws: PathBuf,
}

impl Lab {
    pub fn up(name: &str, options: &[&str]) -> Option<Self> {
        let aws = aws()?;
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let lab = Self { dir, aws };
        lab.command(&["down"]);
        let prefix = format!("--prefix=c{}{name}", std::process::id() % 1000);
        let up = lab.command(&[&["up", "--port=0", &prefix], options].concat());
        assert!(up.status.success(), "{}", String::from_utf8_lossy(&up.stderr));
        Some(lab)
    }

    pub fn command(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gwlb-lab"));
        command.arg("--dir").arg(&self.dir).args(arguments).output().unwrap()
    }

    /// Runs a script of bash with the lab's environment, as a reader would; gives what it printed.
    pub fn bash(&self, script: &str) -> (bool, String) {
        let env = self.command(&["env"]);
        assert!(env.status.success(), "{}", String::from_utf8_lossy(&env.stderr));
        let env = String::from_utf8_lossy(&env.stdout).into_owned();
        let path = std::env::var("PATH").unwrap_or_default();
        let mut bash = Command::new("bash");
        bash.args(["-euc", &format!("{env}\n{script}")]);
        bash.env("PATH", format!("{}:{path}", self.aws.parent().unwrap().display()));
        let done = bash.output().unwrap();
        let said =
            String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
        (done.status.success(), said)
    }

    #[track_caller]
    pub fn well(&self, script: &str) -> String {
        let (well, said) = self.bash(script);
        assert!(well, "{script}: {said}");
        said
    }

    #[track_caller]
    pub fn json(&self, command: &str) -> Value {
        let said = self.well(&format!("aws {command} --output json"));
        serde_json::from_str(&said).unwrap_or_else(|e| panic!("{command}: {e}: {said}"))
    }

    /// How many of the eight checks (ping and HTTP, both families, both directions) pass.
    pub fn checks(&self) -> usize {
        let said = self.command(&["traffic"]);
        String::from_utf8_lossy(&said.stdout).lines().filter(|l| l.ends_with("passed")).count()
    }

    pub fn health(&self) -> Vec<String> {
        let told = self.command(&["status", "--json"]);
        let told: Value = serde_json::from_slice(&told.stdout).unwrap();
        let word = |t: &Value| t["health"].as_str().unwrap_or("unused").to_owned();
        told["targets"].as_array().unwrap().iter().map(word).collect()
    }

    pub fn state(&self) -> lab::state::State {
        lab::snapshot::read(&self.dir.join("state.json")).unwrap().unwrap()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.command(&["down"]);
    }
}

/// The `aws` command: the one on the path, else one installed beside the build.
pub fn aws() -> Option<PathBuf> {
    let works = |path: &Path| Command::new(path).arg("--version").output().is_ok_and(|o| o.status.success());
    let places = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&places).map(|dir| dir.join("aws")).find(|aws| works(aws));
    let venv = Path::new(env!("CARGO_TARGET_TMPDIR")).join("awscli");
    let own = venv.join("bin/aws");
    if on_path.is_none() && !works(&own) {
        let make = Command::new("python3").args(["-m", "venv"]).arg(&venv).status();
        if make.is_ok_and(|s| s.success()) {
            let _ = Command::new(venv.join("bin/pip")).args(["install", "--quiet", "awscli"]).status();
        }
    }
    let found = on_path.or_else(|| works(&own).then_some(own));
    if found.is_none() {
        eprintln!("SKIPPED: there is no aws command line, and it cannot be installed");
    }
    found
}

/// The tutorial's commands as README.md has them.
pub fn readme() -> String {
    let readme = include_str!("../../../../README.md");
    let block = readme.split("<!-- tutorial -->").nth(1).and_then(|rest| rest.split("```").nth(1));
    block.unwrap().to_owned()
}
