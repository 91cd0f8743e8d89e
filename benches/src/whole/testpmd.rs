//! DPDK's own forwarder on the same source: what a core can do that does not look at what it forwards. It has as many mbufs
//! of the same size and with the same cache, as many descriptors, the same burst and the same CPU as the appliance.

use std::error::Error;
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::sluice::{DESCRIPTORS, Outcome, POOL, Supply};
use crate::children::bound;
use crate::threads::{busiest, of};

/// One measurement in forwarding mode `mode`: `rxonly`, `io`, `macswap`, `5tswap`, `csum`.
pub(crate) fn measure(mode: &str, supply: &Supply, seconds: f64) -> Result<Outcome, Box<dyn Error>> {
    let (vdev, start) = match supply {
        Supply::Pcap(path) => (format!("net_pcap0,rx_pcap={},infinite_rx=1", path.display()), "start"),
        Supply::Ring(_) => ("net_ring0".to_owned(), "start tx_first 8"),
    };
    let mut testpmd = Testpmd::start(mode, &vdev)?;
    testpmd.tell(start)?;
    thread::sleep(Duration::from_millis(250));
    let (packets, cpu, since) = testpmd.look()?;
    thread::sleep(Duration::from_secs_f64(seconds));
    let (packets_after, cpu_after, until) = testpmd.look()?;
    testpmd.tell("quit")?;
    testpmd.child.wait()?;
    Ok(Outcome {
        packets: packets_after - packets,
        dropped: 0,
        flows: 0,
        seconds: (until - since).as_secs_f64(),
        cpu: busiest(&cpu, &cpu_after, |name| {
            name.starts_with("rte-worker") || name.starts_with("lcore-worker")
        }),
    })
}

struct Testpmd {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
}

type Look = (u64, Vec<crate::threads::ThreadTime>, Instant);

impl Testpmd {
    fn start(mode: &str, vdev: &str) -> Result<Self, Box<dyn Error>> {
        let mut child = bound(&mut Command::new("stdbuf"))
            .args([
                "-oL",
                "dpdk-testpmd",
                "-l",
                "0,1",
                "--in-memory",
                "--no-pci",
                "--no-telemetry",
                "-m",
                "200",
            ])
            .args(["--vdev", vdev, "--", "-i", "--no-mlockall", "--burst=32"])
            .arg(format!("--total-num-mbufs={}", POOL.mbufs))
            .arg(format!("--mbuf-size={}", POOL.data_room))
            .arg(format!("--mbcache={}", POOL.cache))
            .args([format!("--rxd={DESCRIPTORS}"), format!("--txd={DESCRIPTORS}")])
            .arg(format!("--forward-mode={mode}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("testpmd has no pipes".into());
        };
        let mut testpmd = Self { child, input, output };
        testpmd.read_until("testpmd> ")?;
        Ok(testpmd)
    }

    fn tell(&mut self, command: &str) -> Result<(), Box<dyn Error>> {
        Ok(writeln!(self.input, "{command}")?)
    }

    /// Packets received so far, the threads' CPU time, and when that was.
    fn look(&mut self) -> Result<Look, Box<dyn Error>> {
        self.tell("show port stats 0")?;
        let said = self.read_until("Tx-bps")?;
        let number = said.rsplit_once("RX-packets:").and_then(|(_, rest)| rest.split_whitespace().next());
        let packets = number.ok_or("testpmd told no RX-packets")?.parse()?;
        Ok((packets, of(self.child.id())?, Instant::now()))
    }

    fn read_until(&mut self, end: &str) -> Result<String, Box<dyn Error>> {
        let (mut said, mut bytes) = (String::new(), [0; 4096]);
        while !said.contains(end) {
            match self.output.read(&mut bytes)? {
                0 => return Err(format!("testpmd ended: {said}").into()),
                count => said.push_str(&String::from_utf8_lossy(&bytes[..count])),
            }
        }
        Ok(said)
    }
}

impl Drop for Testpmd {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
