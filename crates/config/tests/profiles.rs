//! The port profiles of dpdk-config are valid configurations, one for every profile that stands for a device.

use std::fs;
use std::path::Path;

use config::{Machine, Settings};

#[test]
fn every_port_profile_is_a_valid_configuration_of_the_profile_it_is_named_after() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dpdk-config/profiles");
    let machine = Machine { cpus: vec![0, 1], huge_page_bytes: 1 << 30 };
    let mut profiles = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_str().unwrap();
        let settings = Settings::from_toml(file, &fs::read_to_string(&path).unwrap(), &machine).unwrap();
        let profile = serde_json::to_value(settings.port().profile).unwrap();
        assert_eq!(format!("{}.toml", profile.as_str().unwrap()), file);
        profiles.push(file.to_owned());
    }
    profiles.sort();
    assert_eq!(profiles, ["af_packet.toml", "af_xdp.toml", "ena.toml", "pcap.toml", "ring.toml", "tap.toml"]);
}
