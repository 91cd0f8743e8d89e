//! Puts the table of fates into the corpora, so that fuzzing starts from frames that go every way; beside them the
//! example configuration, whole and table by table, and a health check.

use std::net::Ipv4Addr;
use std::path::Path;
use std::{fs, io};

use wire::testkit::{OUR_ADDRESS, arp, fates};

fn main() -> io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for case in fates() {
        let name = case.name.replace(' ', "-");
        let parts = [("frame", 0), ("options", 42), ("inner", 82)];
        for (target, from) in parts {
            let directory = corpus.join(target);
            fs::create_dir_all(&directory)?;
            fs::write(directory.join(&name), case.frame.get(from..).unwrap_or_default())?;
        }
    }
    seed_configuration(&corpus.join("configuration"))?;
    seed_local_lane(&corpus.join("local_lane"))
}

fn seed_configuration(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let example = include_str!("../../../dpdk-config/sluice.example.toml");
    fs::write(directory.join("example"), example)?;
    // Every default written out, a table at a time: the fuzzer's inputs are short.
    let written_out: String = example
        .lines()
        .map(|line| {
            line.strip_prefix('#').filter(|key| !key.starts_with(' ')).unwrap_or(line).to_owned() + "\n"
        })
        .filter(|line| !line.starts_with('#'))
        .collect();
    let port = written_out.split("[eal]").next().unwrap_or_default();
    for (nth, table) in written_out.split("\n[").enumerate() {
        fs::write(directory.join(format!("table-{nth}")), format!("{port}\n[{table}"))?;
    }
    Ok(())
}

fn seed_local_lane(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    // A client's SYN, ACK, request and FIN, as the target reads them: kind, flags, length, data.
    let request = b"GET / HTTP/1.1\r\n\r\n";
    let mut check = vec![1, 2, 0, 1, 16, 0, 1, 24, 18];
    check.extend(request);
    check.extend([1, 17, 0, 1, 16, 0]);
    fs::write(directory.join("check"), check)?;
    let asked = arp(1, Ipv4Addr::new(10, 100, 1, 1), OUR_ADDRESS);
    let mut question = vec![0, 0, 42];
    question.extend(asked);
    fs::write(directory.join("arp"), question)
}
