//! `sluice run` itself on a packet socket, a generator on the other core, a veth pair between them.
//!
//! ```text
//! namespace sluicebench-gen (CPU 0)                namespace sluicebench-dut (CPU 1)
//! sendmmsg ─▶ sbgen ═════════ veth ═════════ sbdut ─▶ net_af_packet ─▶ sluice ─┐
//! rx_packets ◀─ sbgen ═══════ veth ═════════ sbdut ◀─ net_af_packet ◀──────────┘
//! ```
//! Returned frames go to a MAC that is nobody's and are counted by the interface, so the kernel answers nothing. It
//! delivers each frame to the socket on the sender's core: the generator pays for the way in, the appliance for the way
//! back.
//!
//! The socket's rings have 4096 slots, not the default's 1024: those are full after 1.4 ms at the generator's limit, and the
//! control thread or anybody else may have the appliance's core for longer.

mod blast;

use std::error::Error;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use wire::testkit::OUR_ADDRESS;

use crate::capture::{Size, frames_of_flows};
use crate::children::bound;
use blast::Blaster;

const GENERATOR: &str = "sluicebench-gen";
const APPLIANCE: &str = "sluicebench-dut";
/// Loss that counts as none.
const NO_LOSS: f64 = 0.001;

/// What the generator's namespace is told.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Setup {
    sluice: PathBuf,
    config: PathBuf,
}

/// What came of it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Outcome {
    /// Seconds from the start of the process to the first 200 of its health check.
    pub(crate) healthy_after: f64,
    pub(crate) rows: Vec<Row>,
}

/// One size of packets; all rates in packets per second.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Row {
    pub(crate) size: String,
    /// What the generator sends as fast as it can.
    pub(crate) offered: f64,
    /// What of that came back.
    pub(crate) returned: f64,
    /// The highest offered rate of which all but one in a thousand came back.
    pub(crate) lossless: f64,
    /// What came back of five times that, or of as much as the generator sends.
    pub(crate) overloaded: f64,
}

/// Build the namespaces, measure, take them down. `sluice` is the binary.
pub(crate) fn measure(sluice: &Path, folder: &Path) -> Result<Outcome, Box<dyn Error>> {
    let _ground = Ground::raise()?;
    let config = folder.join("veth.toml");
    let text = format!(
        "[port]\nprofile = \"af_packet\"\ndevice = \"sbdut\"\naddress = \"{OUR_ADDRESS}/24\"\nmtu = 1500\nrx_descriptors = 4096\n\
         [cores]\nmode = \"run-to-completion\"\nworker = [1]\ncontrol = 0\n\
         [policy]\nrules = [{:?}]\n[events]\noutput = \"off\"\n[drain]\ndelay = 0\n",
        concat!(env!("CARGO_MANIFEST_DIR"), "/rules.rules")
    );
    fs::write(&config, text)?;
    let setup = serde_json::to_string(&Setup { sluice: fs::canonicalize(sluice)?, config })?;
    let output = bound(&mut Command::new("ip"))
        .args(["netns", "exec", GENERATOR])
        .arg(std::env::current_exe()?)
        .args(["veth", &setup])
        .output()?;
    if !output.status.success() {
        return Err(format!("bench veth: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Measure in this process, which is in the generator's namespace.
pub(crate) fn generate(setup: &Setup) -> Result<Outcome, Box<dyn Error>> {
    let start = Instant::now();
    let mut appliance = Appliance::start(setup)?;
    core_affinity::set_for_current(core_affinity::CoreId { id: 0 }); // after it: children inherit
    let healthy_after = appliance.until_healthy(start)?;
    let blaster = Blaster::new("sbgen")?;
    let rows = Size::ALL.into_iter().map(|size| row(&blaster, size)).collect::<Result<_, _>>()?;
    Ok(Outcome { healthy_after, rows })
}

fn row(blaster: &Blaster, size: Size) -> Result<Row, Box<dyn Error>> {
    let frames = frames_of_flows(10_000, size);
    blast(blaster, &frames, 100_000, 0.3)?; // the flows begin
    let (offered, returned) = blast(blaster, &frames, 0, 1.5)?;
    let mut lossless = if returned >= offered * (1.0 - NO_LOSS) { offered } else { 0.0 };
    for share in (1..20).rev() {
        if lossless > 0.0 {
            break;
        }
        let (sent, came) = blast(blaster, &frames, (offered * f64::from(share) / 20.0) as u64, 1.0)?;
        if came >= sent * (1.0 - NO_LOSS) {
            lossless = sent;
        }
    }
    let overload = if 5.0 * lossless < offered { (5.0 * lossless) as u64 } else { 0 };
    let (_, overloaded) = blast(blaster, &frames, overload, 1.5)?;
    Ok(Row { size: size.name(), offered, returned, lossless, overloaded })
}

/// Packets per second that were sent, and that came back.
fn blast(
    blaster: &Blaster,
    frames: &[Vec<u8>],
    rate: u64,
    seconds: f64,
) -> Result<(f64, f64), Box<dyn Error>> {
    let before = came_back()?;
    let sent = blaster.blast(frames, rate, Duration::from_secs_f64(seconds));
    thread::sleep(Duration::from_millis(100)); // what is under way comes back
    Ok((sent as f64 / seconds, (came_back()? - before) as f64 / seconds))
}

fn came_back() -> Result<u64, Box<dyn Error>> {
    Ok(fs::read_to_string("/sys/class/net/sbgen/statistics/rx_packets")?.trim().parse()?)
}

/// The process under test; it ends with this value.
struct Appliance {
    child: Child,
    log: PathBuf,
}

impl Appliance {
    fn start(setup: &Setup) -> Result<Self, Box<dyn Error>> {
        let child = bound(&mut Command::new("ip"))
            .args(["netns", "exec", APPLIANCE])
            .arg(&setup.sluice)
            .args(["run", "--config"])
            .arg(&setup.config)
            .stdout(Stdio::null())
            .stderr(fs::File::create(setup.config.with_extension("log"))?)
            .spawn()?;
        Ok(Self { child, log: setup.config.with_extension("log") })
    }

    fn until_healthy(&mut self, start: Instant) -> Result<f64, Box<dyn Error>> {
        while start.elapsed() < Duration::from_secs(20) {
            if let Some(status) = self.child.try_wait()? {
                return Err(format!("sluice ended: {status}: {}", fs::read_to_string(&self.log)?).into());
            }
            if is_healthy() {
                return Ok(start.elapsed().as_secs_f64());
            }
            thread::sleep(Duration::from_millis(5));
        }
        Err("sluice did not become healthy in 20 s".into())
    }
}

impl Drop for Appliance {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn is_healthy() -> bool {
    let address = SocketAddr::from((OUR_ADDRESS, 80));
    let timeout = Duration::from_millis(50);
    let Ok(mut stream) = TcpStream::connect_timeout(&address, timeout) else { return false };
    let asked = stream
        .set_read_timeout(Some(timeout))
        .and_then(|()| stream.write_all(b"GET / HTTP/1.1\r\nHost: sluice\r\n\r\n"));
    let mut answer = [0; 12];
    asked.is_ok() && stream.read_exact(&mut answer).is_ok() && &answer == b"HTTP/1.1 200"
}

/// The two namespaces and the pair between them.
struct Ground;

impl Ground {
    fn raise() -> Result<Self, Box<dyn Error>> {
        let ground = Self; // dropped, and so taken down, if a step fails
        Self::take_down();
        let gateway = format!("{}/24", std::net::Ipv4Addr::from_bits(OUR_ADDRESS.to_bits() + 10));
        for command in [
            format!("netns add {GENERATOR}"),
            format!("netns add {APPLIANCE}"),
            format!("link add sbgen netns {GENERATOR} type veth peer name sbdut netns {APPLIANCE}"),
            format!("-n {GENERATOR} addr add {gateway} dev sbgen"),
            format!("-n {GENERATOR} link set sbgen up"),
            format!("-n {GENERATOR} link set lo up"),
            format!("-n {APPLIANCE} link set sbdut up"),
            format!("-n {APPLIANCE} link set lo up"),
        ] {
            run("ip", command.split(' '))?;
        }
        for (namespace, interface) in [(GENERATOR, "sbgen"), (APPLIANCE, "sbdut")] {
            let offloads = ["tx", "off", "tso", "off", "gso", "off", "gro", "off"];
            run("ip", ["netns", "exec", namespace, "ethtool", "-K", interface].into_iter().chain(offloads))?;
            // The kernel's own frames would be counted with ours.
            let quiet = format!("net.ipv6.conf.{interface}.disable_ipv6=1");
            run("ip", ["netns", "exec", namespace, "sysctl", "-qw", &quiet])?;
        }
        Ok(ground)
    }

    fn take_down() {
        for namespace in [GENERATOR, APPLIANCE] {
            // It is not there, most times.
            let _ = Command::new("ip").args(["netns", "del", namespace]).stderr(Stdio::null()).status();
        }
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        Self::take_down();
    }
}

fn run<'a>(program: &str, arguments: impl IntoIterator<Item = &'a str>) -> Result<(), Box<dyn Error>> {
    let output = Command::new(program).args(arguments.into_iter().collect::<Vec<_>>()).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr)).into())
}
