//! README's "Filter by name", as it stands there; and the names that real clients ask for, learnt and then enforced.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};

use crate::client::{self, Reached};
use crate::lab::{Lab, wait};
use crate::place::root;
use crate::server;
use crate::sight::Sight;
use crate::trial::{root_test, run};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        root_test("readme_s_filter_by_name_does_as_it_says", readme),
        root_test(
            "the_names_that_real_clients_ask_for_become_a_list_that_lets_exactly_those_through",
            learnt,
        ),
    ]
}

/// The server on the internet, where the lab has it.
const SERVER: &str = "203.0.113.10";
/// Names that clients ask for, each for one; nobody asks for the last while it is learnt.
const NAMES: [&str; 5] = ["www.one.example", "two.example", "three.example", "four.example", "five.example"];

fn readme() -> Result<(), Failed> {
    let folder = root().join("target/tests/names");
    fs::create_dir_all(&folder)?;
    for file in ["allowed.names", "refused.names", "names.toml"] {
        fs::write(folder.join(file), of_readme(file)?)?;
    }
    let lab = Lab::up("slname", 4651, &["--appliances=1", &option(&folder.join("names.toml"))])?;
    lab.wait_for(&["healthy"])?;
    let lines = of_readme("names")?;
    let (asked, told): (Vec<&str>, Vec<&str>) = lines.lines().partition(|line| line.contains(" exec "));
    if (asked.len(), told.len()) != (3, 1) {
        return Err(format!("README's lines are others now: {lines}").into());
    }
    let seen = Sight::of((&lab, "client"), &folder, "tcp dst port 80", || {
        asked.iter().try_for_each(|line| ask(&lab, line))
    })?;
    for (name, is_seen) in [("allowed.example", true), ("refused.example", false), ("other.example", false)] {
        if seen.holds(name)? != is_seen {
            return Err(format!("{name}: seen by the server is {}, not {is_seen}", !is_seen).into());
        }
    }
    // The line that looks at the events, where this lab has its own.
    let told = told.concat().replace("/run/gwlb-lab", &lab.dir().display().to_string());
    let dropped = || {
        let told = Command::new("sh").args(["-c", &told]).output()?;
        let told = String::from_utf8_lossy(&told.stdout).into_owned();
        Ok(told.contains("list refused") && told.contains("no list that allows"))
    };
    if wait(dropped)? { Ok(()) } else { Err("the events do not tell of both names".into()) }
}

/// Runs one of README's lines: what it does follows from the name.
fn ask(lab: &Lab, line: &str) -> Result<(), Failed> {
    let words: Vec<_> = line.split_whitespace().skip_while(|word| *word != "exec").collect();
    let begun = Instant::now();
    let worked = lab.command(&words).output()?.status.success();
    let at_once = begun.elapsed() < Duration::from_secs(3);
    let wanted = match line {
        line if line.contains("allowed.example") => worked,
        line if line.contains("refused.example") => !worked && at_once,
        _ => !worked && !at_once,
    };
    if wanted { Ok(()) } else { Err(format!("worked {worked}, at once {at_once}: {line}").into()) }
}

/// Who asks for names, each by its own protocol: whether the client on the application's host gets what it asks for.
type Client = fn(&Lab, &str) -> Reached;

const CLIENTS: [(&str, Client); 4] = [("HTTP", http), ("TLS", tls), ("DNS", dns), ("HTTP/3", http3)];

fn learnt() -> Result<(), Failed> {
    let folder = root().join("target/tests/learnt");
    fs::create_dir_all(&folder)?;
    let list = folder.join("learnt.names");
    let _ = fs::remove_file(&list);
    let config = folder.join("learn.toml");
    fs::write(&config, "[learn]\nfile = \"learnt.names\"\n")?;
    // Each client asks for another name.
    among_servers(&config, |lab| {
        for ((what, client), name) in CLIENTS.iter().zip(NAMES) {
            if !client(lab, name)? {
                return Err(format!("{what}: no {name} while it is learnt").into());
            }
        }
        // As an instance that is stopped gets it.
        run(Command::new("kill").arg(lab.appliance_pid("appliance1")?.to_string()))?;
        if wait(|| Ok(list.exists()))? { Ok(()) } else { Err("no list was written".into()) }
    })?;
    let text = fs::read_to_string(&list)?;
    let names: BTreeSet<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    if names != NAMES[..CLIENTS.len()].iter().copied().collect() {
        return Err(format!("learnt {names:?}").into());
    }
    let enforced = "[policy]\ndefault = \"drop\"\n\n\
                    [[list]]\nname = \"learnt\"\nfile = \"learnt.names\"\naction = \"allow\"\n";
    fs::write(&config, enforced)?;
    // Whichever client asked for it.
    among_servers(&config, |lab| {
        for (what, client) in CLIENTS {
            for name in NAMES {
                if client(lab, name)? != names.contains(name) {
                    return Err(format!("{what}: {name} is on the list: {}", names.contains(name)).into());
                }
            }
        }
        Ok(())
    })
}

/// Does something in a lab of this configuration, with servers on the internet.
fn among_servers(config: &Path, done: impl FnOnce(&Lab) -> Result<(), Failed>) -> Result<(), Failed> {
    let folder = config.parent().ok_or("no folder")?;
    let lab = Lab::up("sllearn", 4652, &["--appliances=1", &option(config)])?;
    lab.wait_for(&["healthy"])?;
    let _names = server::names(&lab, "client", &[SERVER])?;
    let _pages = server::tls(&lab, "client", "443", folder)?;
    let _more = server::http3(&lab, "client", "443", folder)?;
    done(&lab)
}

fn http(lab: &Lab, name: &str) -> Reached {
    client::curl(lab, &format!("http://{name}/"), &["--resolve", &format!("{name}:80:{SERVER}")])
}

fn tls(lab: &Lab, name: &str) -> Reached {
    client::curl(lab, &format!("https://{name}/"), &["--resolve", &format!("{name}:443:{SERVER}")])
}

fn dns(lab: &Lab, name: &str) -> Reached {
    Ok(client::dig(lab, SERVER, name, &[])?.contains("ANSWER: 1"))
}

fn http3(lab: &Lab, name: &str) -> Reached {
    client::http3(lab, SERVER, name, 0)
}

fn option(config: &Path) -> String {
    format!("--config={}", config.display())
}

/// A block of README.md, behind its mark.
fn of_readme(mark: &str) -> Result<String, Failed> {
    let text = fs::read_to_string(root().join("README.md"))?;
    let block =
        text.split_once(&format!("<!-- {mark} -->\n```\n")).and_then(|(_, rest)| rest.split_once("\n```"));
    Ok(block.ok_or_else(|| format!("README.md has no block {mark}"))?.0.to_owned() + "\n")
}
