//! What an operator sees: which files are valid, and what is said of those that are not.

use config::{Idle, Machine, Mode, Profile, Settings};

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
    let (bare, full) = (serde_json::to_value(bare).unwrap(), serde_json::to_value(full).unwrap());
    for key in ["cores", "tunnel", "flow", "policy", "health", "service", "plan"] {
        assert_eq!(bare[key], full[key], "{key}");
    }
    for key in ["gateway", "mtu", "rx_queues", "rx_descriptors", "tx_descriptors", "devargs"] {
        assert_eq!(bare["port"][key], full["port"][key], "{key}");
    }
    assert_eq!(bare["plan"]["mempool"]["mbufs"], full["port"]["mempool"]);
    assert_eq!(bare["plan"]["memory_mb"], full["eal"]["memory"]);
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
        "F:7: policy.default = \"allow\": must be one of \"forward\", \"drop\""
    );
}

#[test]
fn impossible_topologies_are_refused() {
    assert_eq!(
        error("cores", "worker = [2, 7]"),
        "F:7: cores.worker = [2, 7]: CPU 7 is not there; this process may use 0-3"
    );
    assert!(error("cores", "rx = []").contains("cores.rx = []: must name at least one CPU"));
    assert!(error("cores", "rx = [1, 1]").contains("names CPU 1 twice"));
    assert!(error("cores", "mode = \"run-to-completion\"\nworker = [1, 2]").contains("must be one CPU"));
    assert!(
        error("cores", "mode = \"run-to-completion\"\nrx = [1]").contains("is not used in run-to-completion")
    );
    assert!(error("cores", "inbox = 1000").contains("must be a power of two from 64 to 65536"));
    assert!(error("cores", "control = 9").contains("CPU 9 is not there"));
    assert!(
        error("port", "rx_queues = 1\n[cores]\nrx = [0, 1]")
            .contains("port.rx_queues = 1: must be at least 2")
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
        error.starts_with("F:5: port.mempool = 2047: must be at least 6848: 2048 for descriptors"),
        "{error}"
    );
    assert!(self::error("eal", "memory = 64").contains("eal.memory = 64: must be at least"));
    assert!(self::error("eal", "huge_pages = true").contains("MiB of free huge pages and 0 are there"));
    let many = Machine { cpus: (0..1024).collect(), huge_page_bytes: 0 };
    let error = Settings::from_toml("F", &with("cores", "inbox = 65536"), &many).unwrap_err().to_string();
    assert!(error.contains("more than 16777215: fewer queues"), "{error}");
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
    assert_eq!(plan(1, &text).cores().mode, Mode::RunToCompletion);
    assert_eq!(plan(1, &text).plan().idle, Idle::Yield);
    assert_eq!(plan(2, &text).plan().idle, Idle::Spin);
    let eight = plan(8, &text);
    assert_eq!((eight.cores().mode, eight.cores().worker.len()), (Mode::Pipeline, 5));
    assert_eq!((eight.plan().rings, eight.plan().threads.len()), (10, 8));
    assert_eq!(plan(2, &with("cores", "mode = \"pipeline\"")).plan().idle, Idle::Yield);

    let queues = plan(4, &with("port", "rx_queues = 3\n[cores]\nrx = [0, 1]"));
    assert_eq!(queues.plan().threads[0].rx_queues, [0, 2]);
    assert_eq!(queues.plan().threads[1].rx_queues, [1]);

    let huge = Machine { cpus: vec![0, 1], huge_page_bytes: 1 << 30 };
    assert!(Settings::from_toml("F", &text, &huge).unwrap().plan().huge_pages);
}

#[test]
fn the_printed_plan_names_cores_queues_rings_and_memory() {
    let text = read(&with("port", "")).unwrap().plan().to_string();
    for part in [
        "rx0      cpu 1, receive queue 0",
        "tx0      cpu 2, transmit queue 0",
        "rings      2 of 1024 packets",
    ] {
        assert!(text.contains(part), "{text}");
    }
    assert!(text.contains("mempool    8191 mbufs of 16512 bytes"), "{text}");
}

#[test]
fn variables_are_read_by_name() {
    let settings = read(&with("policy.vars", "HOME_NET = \"[10.0.0.0/16]\"\nWEB = \"80\"")).unwrap();
    let vars: Vec<&str> = settings.policy().vars.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(vars, ["HOME_NET", "WEB"]);
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
