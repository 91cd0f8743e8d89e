//! The bench.
mod allocations;
mod capture;
mod samples;
mod threads;
mod whole;

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["sluice", setup] => {
            let outcome = whole::sluice::measure(&serde_json::from_str(setup)?)?;
            println!("{}", serde_json::to_string(&outcome)?);
        }
        ["testpmd", mode, path] => {
            let outcome = whole::testpmd::measure(mode, &whole::sluice::Supply::Pcap(path.into()), 0.5)?;
            println!("{}", serde_json::to_string(&outcome)?);
        }
        ["capture", path, flows, size] => {
            let size = if size == "imix" { capture::Size::Imix } else { capture::Size::Fixed(size.parse()?) };
            let frames = match flows.parse()? {
                0 => capture::frames_to_set(10_000, size),
                flows => capture::frames_of_flows(flows, size),
            };
            capture::write(path.as_ref(), &frames)?;
        }
        _ => return Err("usage".into()),
    }
    Ok(())
}
