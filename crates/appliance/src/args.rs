//! The command line: what a user may ask for, and what `--help` teaches.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use inspect::Mode;

use crate::offline::Subject;

/// An inspection appliance for AWS Gateway Load Balancer, on DPDK.
#[derive(Debug, Parser)]
#[command(name = "sluice", version = crate::version::LONG.as_str())]
#[command(after_help = "Exit status: 0 done, 1 failed while running, 2 refused what it was given.")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Inspect traffic on the configured port until SIGTERM or SIGINT, then drain and end; on SIGHUP read the rules again.
    Run(Run),
    /// Read a configuration and its rules, tell every mistake with its line, print the resolved plan.
    Check(Check),
    /// Judge the packets of a capture by the same stages, with the capture's own clock. Needs no DPDK and no root.
    Inspect(Inspect),
    /// Read rule files; tell every mistake with its line, what is probably not meant, and what the rules come to.
    Rules(Rules),
}

#[derive(Args, Debug)]
#[command(after_help = "\
Signals:
  SIGTERM, SIGINT  fail health checks, let traffic flow for drain.delay, then end; a second one ends at once
  SIGHUP           read the configuration's rules again ([policy] and [[endpoint]]; other keys need a new start), while
                   the old ones judge on. If they can be used, every worker judges by them from one of its next turns
                   on; policy.running_flows says what that means for flows under way. If not, the old ones stay and
                   standard error says why. sluice_policy_generation and sluice_policy_reloads_total tell what came of
                   it. The event log's file is begun anew, for whoever has set it aside.")]
pub(crate) struct Run {
    /// The configuration; dpdk-config/sluice.example.toml explains every key.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Take no policy with a rule in it that was refused.
    #[arg(long)]
    pub(crate) strict: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Check {
    /// The configuration to read.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Take no policy with a rule in it that was refused.
    #[arg(long)]
    pub(crate) strict: bool,
    /// Print the plan as one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  sluice inspect --pcap gwlb.pcap                      what would become of each frame
  sluice inspect --pcap web.pcap --rules local.rules   an ordinary capture, judged by a rule file
  sluice inspect --pcap gwlb.pcap --out returned.pcap  keep exactly the frames that would be sent back
  sluice inspect --encap none --passive --pcap web.pcap --rules local.rules --eve alerts.json
                                                       what a listener would tell, one JSON object a line
  sluice inspect --pcap web.pcap --rules local.rules --explain 1000001
                                                       why this rule matched or did not
  sluice inspect --pcap web.pcap --rules local.rules --explain 'tcp 10.0.0.1:40000 -> 192.0.2.1:80'
                                                       what each rule came to in this flow
  sluice inspect --pcap web.pcap --rules local.rules --profile
                                                       what each rule cost")]
pub(crate) struct Inspect {
    /// The capture: pcap or pcapng; of Ethernet, raw IP, Linux cooked, loopback, PPP or Cisco HDLC.
    #[arg(long, value_name = "IN")]
    pub(crate) pcap: PathBuf,
    /// Judge as this configuration says. Without one any destination is ours, any source allowed, and rules are tried in
    /// the order of actions, with the usual variables: HOME_NET is RFC 1918, EXTERNAL_NET the rest.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Rule files, behind those of the configuration.
    #[arg(long, value_name = "FILE")]
    pub(crate) rules: Vec<PathBuf>,
    /// Take no policy with a rule in it that was refused.
    #[arg(long)]
    pub(crate) strict: bool,
    /// Write the frames that would be sent, in their order, to this pcap file.
    #[arg(long, value_name = "RETURNED.pcap")]
    pub(crate) out: Option<PathBuf>,
    /// Write alerts and ended flows to this file, as a running appliance does, with each packet's number in the capture.
    #[arg(long, value_name = "FILE")]
    pub(crate) eve: Option<PathBuf>,
    /// Write the smallest list of domains that allows what the capture asked for, to be read as a `[[list]]`.
    #[arg(long, value_name = "FILE")]
    pub(crate) learn: Option<PathBuf>,
    /// Judge as an appliance in the traffic's way: what a rule drops is dropped. This is the default.
    #[arg(long, conflicts_with = "passive")]
    pub(crate) inline: bool,
    /// Only listen: rules tell what they saw, and every customer's packet is returned.
    #[arg(long)]
    pub(crate) passive: bool,
    /// What to think of customers' packets whose own checksums are wrong, as those of a capture often are that were not
    /// filled in yet: they are no part of their stream, or count as any other. Default: verify inline, ignore with
    /// --passive.
    #[arg(long, value_enum)]
    pub(crate) checksums: Option<Checksums>,
    /// What the capture holds: GENEVE frames of a GWLB, or customers' packets as if they came through one endpoint.
    #[arg(long, value_enum, default_value_t = Encap::Auto)]
    pub(crate) encap: Encap,
    /// Tell why a rule matched or did not, flow by flow: a signature id; all rules in one flow: its five-tuple, or the
    /// flow_id of its events (a number above 4294967295); given more than once, these rules in these flows.
    #[arg(long, value_name = "SID|FLOW")]
    pub(crate) explain: Vec<Subject>,
    /// Tell what each rule cost: how often it was asked, how often it matched, how long that took.
    #[arg(long)]
    pub(crate) profile: bool,
    /// Print the summary as one JSON object, with "explain" and "profile" in it if they are asked for.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  sluice rules local.rules                    every mistake and every doubt with its line, then counts
  sluice rules --json emerging-all.rules      the same for a program
  sluice rules --list --config sluice.toml    the rules of a configuration, in the order in which they are asked")]
pub(crate) struct Rules {
    /// Rule files, behind those of the configuration if there is one.
    #[arg(value_name = "FILE", required_unless_present = "config")]
    pub(crate) files: Vec<PathBuf>,
    /// Read the rules that this configuration names too, with its variables and in its order.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Take no policy with a rule in it that was refused.
    #[arg(long)]
    pub(crate) strict: bool,
    /// List the loaded rules, in the order in which they are asked.
    #[arg(long)]
    pub(crate) list: bool,
    /// Write the loaded rules to this file, each on a line and as it was understood.
    #[arg(long, value_name = "FILE")]
    pub(crate) export: Option<PathBuf>,
    /// Print counts, refusals and warnings as one JSON object.
    #[arg(long, conflicts_with = "list")]
    pub(crate) json: bool,
}

impl Inspect {
    /// Where the inspector stands to the traffic.
    pub(crate) fn mode(&self) -> Mode {
        let checksums = match self.checksums {
            Some(Checksums::Verify) => inspect::Checksums::Verify,
            Some(Checksums::Ignore) => inspect::Checksums::Ignore,
            None if self.passive => inspect::Checksums::Ignore,
            None => inspect::Checksums::Verify,
        };
        // Without a configuration, as the reference.
        let only_whole = self.passive && self.config.is_none();
        Mode { passive: self.passive, only_whole, checksums, ..Mode::default() }
    }
}

/// What to think of wrong checksums.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Checksums {
    /// Such packets are no part of their stream.
    Verify,
    /// They count as any other.
    Ignore,
}

/// What a capture holds.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Encap {
    /// GENEVE if one of the first 1000 records is, else none.
    Auto,
    /// Frames between GWLB and appliance.
    Geneve,
    /// Customers' packets, without GENEVE.
    None,
}
