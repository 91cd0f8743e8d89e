//! What an operator sees: which files are valid, and what is said of those that are not.

use config::{Machine, Profile, Settings};
use engine::Role;
use policy::{Reaction, Suspicion};

const EXAMPLE: &str = include_str!("../../../dpdk-config/sluice.example.toml");

fn machine(cpus: usize) -> Machine {
    Machine { cpus: (0..cpus).collect(), huge_page_bytes: 0 }
}

fn read(text: &str) -> Result<Settings, String> {
    Settings::from_toml("F", text, &machine(4)).map_err(|error| error.to_string())
}

/// A file that is right but for `lines`, which are added below `[table]`.
fn with(table: &str, lines: &str) -> String {
    let port = "profile = \"af_packet\"\ndevice = \"eth1\"\naddress = \"10.1.2.11/24\"\n";
    let port_lines = if table == "port" { lines } else { "" };
    let rest = if table == "port" { String::new() } else { format!("[{table}]\n{lines}\n") };
    format!("[port]\n{port}{port_lines}\n{rest}")
}

fn error(table: &str, lines: &str) -> String {
    read(&with(table, lines)).err().unwrap_or_default()
}

/// The example with every default written out.
fn written_out() -> String {
    let line = |line: &str| match line.strip_prefix('#') {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_lowercase()) => rest.to_string(),
        _ => line.to_string(),
    };
    EXAMPLE.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_example_is_valid_and_its_documented_defaults_are_the_real_ones() {
    let (bare, full) = (read(EXAMPLE).unwrap(), read(&written_out()).unwrap());
    assert_eq!(bare.cores(), full.cores());
    assert_eq!(bare.tunnel(), full.tunnel());
    assert_eq!(bare.flow(), full.flow());
    assert_eq!(bare.inspection(), full.inspection());
    assert_eq!(bare.endpoints(), full.endpoints());
    assert_eq!(bare.policy(), full.policy());
    assert_eq!(bare.health(), full.health());
    assert_eq!(bare.service(), full.service());
    assert_eq!(bare.plan(), full.plan());
    assert_eq!(full.port().mempool.map(u64::from), Some(bare.plan().mempool.mbufs));
    let mut port = full.port().clone();
    port.mempool = None;
    assert_eq!(bare.port(), &port);
}

#[test]
fn three_keys_are_enough() {
    let settings = read(&with("port", "")).unwrap();
    assert_eq!(settings.port().profile, Profile::AfPacket);
    assert_eq!(settings.port().gateway.to_string(), "10.1.2.1");
    assert_eq!(settings.tunnel().udp_port, 6081);
}

#[test]
fn required_keys_are_named_with_what_to_write() {
    let error = read("[port]\n").unwrap_err();
    assert!(error.contains("F:1: port.profile: is required: the DPDK driver"), "{error}");
    assert!(error.contains("F:1: port.address: is required: the port's address with its subnet"), "{error}");
    assert!(read("").unwrap_err().contains("port.profile: is required"));
}

#[test]
fn an_error_gives_file_line_key_value_and_what_would_be_right() {
    assert_eq!(
        error("flow", "tcp_timeout = \"long\""),
        "F:7: flow.tcp_timeout = \"long\": must be whole seconds from 1 to 86400"
    );
    assert_eq!(
        error("tunnel", "udp_port = 0"),
        "F:7: tunnel.udp_port = 0: must be a whole number from 1 to 65535"
    );
    assert_eq!(
        error("tunnel", "sources = [\"10.1.1.7/24\"]"),
        "F:7: tunnel.sources = [\"10.1.1.7/24\"]: every item has host bits set; 10.1.1.0/24 would be right"
    );
    assert_eq!(
        error("flow", "capasity = 3"),
        "F:7: flow.capasity = 3: is no known key; did you mean capacity?"
    );
    assert_eq!(
        error("policy", "default = \"allow\""),
        "F:7: policy.default = \"allow\": must be one of \"forward\", \"drop\", \"drop-established\", \"drop-established-app\""
    );
}

#[test]
fn anomalies_are_met_as_the_table_says_and_an_endpoint_takes_over_what_it_does_not_say() {
    let text = format!(
        "{}[policy.anomalies]\nname_unresolved = \"reject\"\ngrace = 0\nresolvers = [\"10.0.0.2\"]\n\
         [[endpoint]]\nid = \"vpce-1\"\n[endpoint.anomalies]\nname_unresolved = \"off\"\nsmuggling = \"drop\"\n",
        with("port", "")
    );
    let settings = read(&text).unwrap();
    let common = &settings.policy().rules.suspicions;
    assert_eq!(common.reaction(Suspicion::NameUnresolved), Some(Reaction::Reject));
    assert_eq!(common.reaction(Suspicion::Smuggling), Some(Reaction::Observe));
    assert!(common.remembering.grace.is_zero() && !common.remembering.believes([10, 0, 0, 3].into()));
    let own = &settings.endpoints()[0].policy.rules.suspicions;
    assert_eq!(own.reaction(Suspicion::NameUnresolved), None);
    assert_eq!(own.reaction(Suspicion::Smuggling), Some(Reaction::Drop));
    assert_eq!(own.remembering, common.remembering);
    let wrong = error("policy.anomalies", "smuggling = \"off\"");
    assert!(wrong.ends_with("must be one of \"observe\", \"alert\", \"drop\", \"reject\""), "{wrong}");
    assert!(error("policy.anomalies", "remember_at_least = 90000").contains("must not be more than"));
}

#[test]
fn impossible_topologies_are_refused() {
    assert_eq!(
        error("cores", "worker = [2, 7]"),
        "F:7: cores.worker = [2, 7]: CPU 7 is not there: this process may use 0-3"
    );
    assert!(error("cores", "rx = []").contains("F:7: cores.rx = []: no rx core"));
    assert!(
        error("cores", "mode = \"run-to-completion\"\nworker = [1, 2]")
            .contains("F:8: cores.worker = [1, 2]: run to")
    );
    assert!(
        error("cores", "mode = \"run-to-completion\"\nrx = [1]").contains("is not used in run-to-completion")
    );
    assert!(error("cores", "inbox = 1000").contains("must be a power of two from 64 to 65536"));
    assert!(error("cores", "control = 9").contains("cores.control = 9: CPU 9 is not there"));
    assert!(
        error("cores", "rx = [1]\ntx = [2, 3]").contains("cores.tx = [2, 3]: must be at most as many cores")
    );
}

#[test]
fn a_second_port_is_refused_in_words() {
    let error = read(&format!("{}[[port]]\n", with("port", ""))).unwrap_err();
    assert!(error.starts_with("F:6: "), "{error}");
    let error = read("[[port]]\nprofile = \"ena\"\n[[port]]\nprofile = \"ena\"\n").unwrap_err();
    assert!(error.contains("F:1: port = [[port]]: is a table: write one [port]"), "{error}");
    let error = read(
        "[port]\nprofile = \"pcap\"\ndevice = \"a.pcap\"\noutput = \"a.pcap\"\naddress = \"10.0.0.5/24\"",
    );
    assert!(error.unwrap_err().contains("port.output = \"a.pcap\": is the device that is read"));
}

#[test]
fn a_pool_that_cannot_hold_what_is_in_flight_is_refused_with_the_sum() {
    let error = error("port", "mempool = 2047");
    assert!(
        error.starts_with("F:5: port.mempool = 2047: must be at least 7648: 2048 for descriptors"),
        "{error}"
    );
    assert!(self::error("eal", "memory = 127").contains("must be at least 128 (MiB): 8191 mbufs take 96"));
    assert!(self::error("eal", "huge_pages = true").contains("MiB of free huge pages and 0 are there"));
    let many = "1, ".repeat(64);
    let error =
        self::error("cores", &format!("rx = [{many}]\nworker = [{many}]\ntx = [{many}]\ninbox = 65536"));
    assert!(error.contains("more than 16777215: fewer cores"), "{error}");
}

#[test]
fn devices_must_fit_their_profile() {
    let port = |profile: &str, device: &str| {
        read(&format!("[port]\nprofile = \"{profile}\"\n{device}\naddress = \"10.1.2.11/24\"")).map(|_| ())
    };
    assert!(port("ena", "device = \"00:06.0\"").is_ok());
    assert!(port("null", "").is_ok());
    assert!(port("tap", "").is_ok());
    assert!(port("ena", "device = \"eth1\"").unwrap_err().contains("must be the PCI address"));
    assert!(port("ena", "").unwrap_err().contains("port.device: is required"));
    assert!(port("af_xdp", "device = \"a/b\"").unwrap_err().contains("interface's name"));
    assert!(port("ring", "device = \"x\"").unwrap_err().contains("leave it out"));
    assert!(port("ena", "device = 7").unwrap_err().contains("must be text"));
    assert!(port("af_packet", "device = \"eth1\"\ndevargs = \"blocksz\"").unwrap_err().contains("key=value"));
    assert!(port("af_xdp", "device = \"eth1\"\nmtu = 8500").unwrap_err().contains("at most 3430"));
    assert!(port("tap", "mtu = 1500").unwrap_err().contains("at most 1436"));
}

#[test]
fn an_xdp_sockets_fill_ring_is_part_of_the_pool() {
    let of = |profile: &str| {
        let text =
            format!("[port]\nprofile = \"{profile}\"\ndevice = \"eth1\"\naddress = \"10.1.2.11/24\"\n");
        read(&text).unwrap().plan().mempool.descriptors
    };
    assert_eq!(of("af_xdp"), of("af_packet") + 2048);
}

#[test]
fn the_gateway_is_in_the_subnet_and_not_the_port_itself() {
    assert!(error("port", "gateway = \"10.9.9.1\"").contains("must be inside the port's subnet 10.1.2.0/24"));
    assert!(error("port", "gateway = \"10.1.2.11\"").contains("is the port's own address"));
    let first = read("[port]\nprofile = \"null\"\naddress = \"10.1.2.1/24\"").unwrap_err();
    assert!(first.contains("the subnet's first address is the port's own"), "{first}");
    assert!(error("port", "gateway = \"::1\"").contains("must be an IPv4 host address"));
    for address in ["10.1.2.0/24", "10.1.2.255/24", "10.1.2.11", "10.1.2.11/32", "x", "2001:db8::1/64"] {
        let text = format!("[port]\nprofile = \"null\"\naddress = \"{address}\"");
        assert!(read(&text).unwrap_err().contains("port.address"), "{address}");
    }
}

#[test]
fn the_plan_follows_from_the_machine() {
    let plan = |cpus, text: &str| Settings::from_toml("F", text, &machine(cpus)).unwrap();
    let text = with("port", "");
    for (cpus, cpu) in [(1, 0), (2, 1), (3, 1)] {
        assert_eq!(plan(cpus, &text).cores().topology.placed(), [(Role::Rtc(0), cpu)]);
    }
    let eight = plan(8, &text);
    assert_eq!(eight.cores().topology.workers(), 5);
    assert_eq!((eight.plan().rings, eight.plan().threads.len(), eight.plan().spin), (10, 8, true));
    let two = plan(2, &with("cores", "mode = \"pipeline\""));
    let names: Vec<&str> = two.plan().threads.iter().map(|thread| thread.name.as_str()).collect();
    assert_eq!((names, two.plan().spin), (vec!["rx0+tx0", "worker0", "control"], false));
    assert!(plan(2, &with("cores", "worker = [1]")).plan().spin);
    let beside_control = with("cores", "worker = [1]\ncontrol = 1");
    assert!(!plan(2, &beside_control).plan().spin, "a core gives way to the control thread on its CPU");

    let huge = Machine { cpus: vec![0, 1], huge_page_bytes: 1 << 30 };
    assert!(Settings::from_toml("F", &text, &huge).unwrap().plan().huge_pages);
}

#[test]
fn the_printed_plan_names_cores_queues_rings_and_memory() {
    let text = read(&with("port", "")).unwrap().plan().to_string();
    for part in ["cpu 1  rx0, receive queue 0", "cpu 2  tx0, transmit queue 0", "rings    2 of 1024 packets"]
    {
        assert!(text.contains(part), "{text}");
    }
    assert!(text.contains("mempool  8191 mbufs of 8832 bytes for frames of an MTU of 8568"), "{text}");
}

#[test]
fn an_xdp_frame_fits_a_page_with_its_mbuf_and_the_kernels_headroom() {
    for mtu in [576, 1500, 3430] {
        let text = format!(
            "[port]\nprofile = \"af_xdp\"\ndevice = \"eth1\"\naddress = \"10.1.2.11/24\"\nmtu = {mtu}"
        );
        let settings = read(&text).unwrap();
        let room = settings.plan().mempool.data_room;
        assert!((2048..=4096).contains(&(room + 192)), "{room}");
        assert!(room - 128 - 256 >= 14 + 68 + mtu, "{room}");
    }
}

#[test]
fn variables_are_read_by_name() {
    let settings = read(&with("policy.vars", "HOME_NET = \"[10.0.0.0/16]\"\nWEB = \"80\"")).unwrap();
    let mut variables = policy::Variables::default();
    variables.set_addresses("HOME_NET", "[10.0.0.0/16]").unwrap();
    variables.set_ports("WEB", "80").unwrap();
    assert_eq!(settings.policy().rules.variables, variables);
    assert!(
        error("policy.vars", "WEB = \"10.0.0.0/99\"")
            .starts_with("F:7: policy.vars.WEB = \"10.0.0.0/99\": is no list")
    );
    assert!(error("policy.vars", "\"a b\" = \"80\"").contains("is no variable's name"));
}

#[test]
fn rule_files_are_found_beside_the_configuration() {
    let text = with("policy", "rules = [\"local.rules\", \"/etc/all.rules\"]");
    let settings = Settings::from_toml("/etc/sluice/sluice.toml", &text, &machine(2)).unwrap();
    let files: Vec<_> = settings.policy().files.iter().map(|file| file.display().to_string()).collect();
    assert_eq!(files, ["/etc/sluice/local.rules", "/etc/all.rules"]);
}

#[test]
fn the_plan_is_one_json_object() {
    let plan = serde_json::to_value(read(EXAMPLE).unwrap().plan()).unwrap();
    assert_eq!(plan["threads"][0]["name"], "rx0");
    assert_eq!(plan["mempool"]["mbufs"], 8191);
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "(\\[[a-z.]{0,8}\\]\n|[a-z_]{1,8} = [\\[\\]{}\"a-z0-9/.#, -]{0,20}\n|\\PC{0,9}){0,12}") {
        let _ = read(&text);
    }

    #[test]
    fn no_change_of_the_example_makes_the_reader_panic(at in 0usize..6000, with in "\\PC{0,3}") {
        let text = written_out();
        let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap();
        let _ = read(&format!("{}{with}{}", &text[..at], &text[(at + 1).min(text.len())..]));
    }
}

#[test]
fn bounds_of_what_is_looked_into_have_defaults_are_checked_and_shown() {
    let plain = read(&with("inspection", "")).unwrap();
    let told = plain.plan().to_string();
    assert!(told.contains("at most 256 MiB for streams and 4 MiB for datagrams in parts"), "{told}");
    let less =
        read(&with("inspection", "stream_memory = 8\nsessions = 100\nsessions_full = \"drop\"")).unwrap();
    assert_eq!(
        (less.inspection().sessions, less.inspection().sessions_full),
        (100, config::SessionsFull::Drop)
    );
    assert!(less.plan().to_string().contains("at most 8 MiB for streams"));
    let wrong = read(&with("inspection", "stream_memory = 1\nstream_window = 4096\nstream_full = \"pass\""))
        .unwrap_err();
    let wrong = wrong.to_string();
    for words in [
        "inspection.stream_window = 4096: must not be more than stream_memory",
        "must be one of \"drop\", \"gap\"",
    ] {
        assert!(wrong.contains(words), "{wrong}");
    }
    let limited = "[[endpoint]]\nid = \"vpce-1\"\nflows = 1000\n";
    let settings = read(&format!("{}\n{limited}", with("inspection", ""))).unwrap();
    let endpoint = &settings.endpoints()[0];
    assert_eq!((endpoint.flows, endpoint.sessions), (Some(1000), None));
}
