//! The scripts of dpdk-config, over a machine of ours: they must say the right thing and touch nothing when asked not to.
// clippy.toml allows these in tests, but means functions marked as such, not what they share.
#![allow(clippy::unwrap_used)]

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs, process};

/// A made-up machine: ena 05 with the default route, ena 06 without, ena 07 with vfio-pci; no IOMMU; 1 GiB of huge pages.
struct Machine(PathBuf);

impl Machine {
    fn new(name: &str) -> Self {
        let machine = Self(env::temp_dir().join(format!("sluice-machine-{}-{name}", process::id())));
        for (slot, interface, driver) in
            [("05", "eth0", "ena"), ("06", "eth1", "ena"), ("07", "", "vfio-pci")]
        {
            let device = format!("sys/bus/pci/devices/0000:00:{slot}.0");
            machine.write(&format!("{device}/vendor"), "0x1d0f\n");
            machine.write(&format!("{device}/device"), "0xec20\n");
            let nowhere = "0x0000000000000000 0x0000000000000000 0x0000000000000000\n";
            let memory = format!("0x00000000fe{slot}0000 0x00000000fe{slot}ffff 0x000000000014220c\n");
            machine.write(&format!("{device}/resource"), &[nowhere, nowhere, &memory].concat());
            if !interface.is_empty() {
                machine.write(&format!("{device}/net/{interface}/mtu"), "9001\n");
            }
            fs::create_dir_all(machine.0.join("sys/bus/pci/drivers").join(driver)).unwrap();
            symlink(format!("../../drivers/{driver}"), machine.0.join(device).join("driver")).unwrap();
        }
        machine.write("sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "N\n");
        machine.write("proc/net/route", "Iface\tDestination\neth0\t00000000\neth1\t0000000A\n");
        machine.write("proc/meminfo", "HugePages_Free:      512\nHugepagesize:       2048 kB\n");
        machine
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn run(&self, words: &str) -> (String, Option<i32>) {
        let output =
            script("bind-ena.sh").args(words.split(' ')).env("SLUICE_SYSROOT", &self.0).output().unwrap();
        (said(&output).replace(self.0.to_str().unwrap(), ""), output.status.code())
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dpdk-config")
}

fn script(name: &str) -> Command {
    Command::new(directory().join(name))
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

#[test]
fn every_script_says_how_it_is_used_and_has_a_dry_run() {
    let mut scripts = 0;
    for entry in fs::read_dir(directory()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "sh") {
            let output = Command::new(&path).arg("--help").output().unwrap();
            assert!(output.status.success(), "{}", path.display());
            let said = said(&output);
            assert!(said.starts_with("usage: dpdk-config/") && said.contains("--dry-run"), "{said}");
            scripts += 1;
        }
    }
    assert!(scripts >= 4, "{scripts}");
}

#[test]
fn a_ready_machine_is_told_device_by_device() {
    let (said, code) = Machine::new("ready").run("check");
    let lines = [
        "note 0000:00:05.0 is eth0 and carries the default route: leave it to the kernel",
        "note 0000:00:06.0 is eth1: free for 'bind-ena.sh bind 0000:00:06.0'",
        "ok   0000:00:07.0 is DPDK's (vfio-pci)",
        "note no IOMMU, and vfio's no-IOMMU mode is off: bind switches it on",
        "ok   1024 MiB of huge pages are free ('sluice check' says how many it takes)",
    ];
    assert!(lines.iter().all(|line| said.contains(line)), "{said}");
    assert_eq!(code, Some(0));
}

#[test]
fn how_the_low_latency_queues_are_mapped_is_read_from_the_kernel() {
    let machine = Machine::new("mapped");
    let cases = [
        (
            "PAT: [mem 0x00000000fe070000-0x00000000fe080000] write-combining\n",
            "ok   0000:00:07.0 is mapped write-",
            0,
        ),
        ("write-combining @ 0xfe070000-0xfe080000\n", "ok   0000:00:07.0 is mapped write-combining", 0),
        (
            "PAT: [mem 0x00000000fe070000-0x00000000fe080000] uncached-minus\n",
            "BAD  0000:00:07.0 is mapped uncached",
            1,
        ),
        ("PAT: [mem 0x00000000aa070000-0x00000000aa080000] uncached\n", "note 0000:00:07.0: BAR 2", 0),
    ];
    for (list, line, status) in cases {
        machine.write("sys/kernel/debug/x86/pat_memtype_list", list);
        let (said, code) = machine.run("check");
        assert!(said.contains(line) && code == Some(status), "{list}{said}");
    }
}

#[test]
fn no_huge_pages_and_no_device_are_bad() {
    let machine = Machine::new("bare");
    machine.write("proc/meminfo", "HugePages_Free:      0\nHugepagesize:       2048 kB\n");
    fs::remove_dir_all(machine.0.join("sys/bus/pci/devices")).unwrap();
    let (said, code) = machine.run("check");
    assert!(said.contains("BAD  no ENA device") && said.contains("BAD  no free huge pages"), "{said}");
    assert_eq!(code, Some(1));
}

#[test]
fn binding_is_said_step_by_step_before_it_is_done() {
    let (said, code) = Machine::new("bind").run("--dry-run bind 0000:00:06.0");
    let device = "/sys/bus/pci/devices/0000:00:06.0";
    let steps = [
        "would run: ip link set eth1 down",
        "would run: modprobe vfio-pci",
        "would write '1' to /sys/module/vfio/parameters/enable_unsafe_noiommu_mode",
        &format!("would write 'vfio-pci' to {device}/driver_override"),
        &format!("would write '0000:00:06.0' to {device}/driver/unbind"),
        "would write '0000:00:06.0' to /sys/bus/pci/drivers_probe\n",
    ];
    assert_eq!(said, steps.join("\n"));
    assert_eq!(code, Some(0));
}

#[test]
fn the_interface_that_leads_to_the_operator_is_not_taken() {
    let machine = Machine::new("operator");
    let (said, code) = machine.run("bind 0000:00:05.0");
    assert_eq!(said, "bind-ena.sh: 0000:00:05.0 is eth0 and carries the default route\n");
    assert_eq!(code, Some(1));
    machine.write("sys/bus/pci/devices/0000:00:06.0/device", "0x0553\n");
    assert_eq!(machine.run("bind 0000:00:06.0").0, "bind-ena.sh: 0000:00:06.0 is not an ENA device\n");
    assert_eq!(machine.run("bind 0000:00:09.0").0, "bind-ena.sh: no PCI device 0000:00:09.0\n");
}

#[test]
fn wrong_words_are_wrong_usage() {
    assert_eq!(Machine::new("usage").run("bind").1, Some(2));
    for (name, words) in
        [("hugepages.sh", "much"), ("packages.sh", "everything"), ("packages.sh", "--dry-run")]
    {
        let output = script(name).args(words.split(' ')).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{name} {words}: {}", said(&output));
    }
}
