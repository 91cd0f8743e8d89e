//! Any bytes as a rule file: nothing panics, every rule is loaded or refused or replaced, and what is read prints to
//! what reads the same. What is loaded judges any packet.
#![no_main]

use libfuzzer_sys::fuzz_target;
use policy::{Loading, Rule, RuleFile, Settings};
use wire::{Address, FiveTuple};

fuzz_target!(|text: &[u8]| {
    if let Some(rule) = std::str::from_utf8(text).ok().and_then(|text| text.parse::<Rule>().ok()) {
        let printed = rule.to_string();
        assert_eq!(Some(rule), printed.parse().ok(), "{printed}");
    }
    let file = RuleFile { name: "fuzz".into(), text: text.to_vec() };
    let loading = Loading::new(&[file], &Settings::default());
    assert!(loading.rules.len() + loading.refusals.len() <= loading.seen);
    let mut bytes = text.iter().copied().cycle().take(37);
    let mut address = || Address(std::array::from_fn(|_| bytes.next().unwrap_or_default()));
    let (source, destination) = (address(), address());
    let protocol = bytes.next().unwrap_or_default();
    for version in [4, 6] {
        let tuple =
            FiveTuple { source, destination, source_port: 53, destination_port: 0, protocol, version };
        let _ = loading.rules.judge(&tuple);
    }
});
