//! Rule groups of AWS Network Firewall, as its API has them.

// What the tests share fails as the tests do.
#![allow(clippy::unwrap_used)]

use policy::{Action, Loading, Rule, RuleGroup, Settings};

fn group(source: &str) -> RuleGroup {
    let text = format!("{{\"RuleGroup\": {{\"RulesSource\": {source}}}}}");
    RuleGroup::read("group.json", text.as_bytes(), 0).unwrap()
}

/// The rules that a group makes, and what cannot be loaded of them.
fn rules(source: &str) -> Vec<Rule> {
    let text = String::from_utf8(group(source).file.text).unwrap();
    text.lines().filter(|line| !line.is_empty()).map(|line| line.parse().unwrap()).collect()
}

fn heads(source: &str) -> Vec<String> {
    rules(source).iter().map(|rule| format!("{:?} {}", rule.action, rule.header)).collect()
}

#[test]
fn a_rules_string_and_stateful_rules_are_rules_of_the_language() {
    let made = rules(
        r#"{"RulesString": "drop tcp any any -> any 23 (sid:1;)\npass udp any any -> any 53 (sid:2;)",
            "StatefulRules": [{"Action": "REJECT",
                "Header": {"Protocol": "TLS", "Source": "10.0.0.0/8", "SourcePort": "ANY", "Direction": "FORWARD",
                           "Destination": "ANY", "DestinationPort": "443"},
                "RuleOptions": [{"Keyword": "tls.sni"}, {"Keyword": "content", "Settings": ["\"example.com\""]},
                                {"Keyword": "sid", "Settings": ["7"]}]}]}"#,
    );
    assert_eq!(made.iter().map(|rule| rule.about.sid).collect::<Vec<_>>(), [1, 2, 7]);
    assert!(matches!(made[2].action, Action::Reject(_)));
    assert_eq!(made[2].header.to_string(), "tls 10.0.0.0/8 any -> any 443");
    assert_eq!(made[2].options.len(), 1, "the buffer and what is looked for in it");
}

#[test]
fn an_allow_list_passes_its_names_and_drops_every_other() {
    let source = r#"{"RulesSourceList": {"Targets": ["www.example.com", ".example.org"],
            "TargetTypes": ["TLS_SNI", "HTTP_HOST"], "GeneratedRulesType": "ALLOWLIST"}}"#;
    let made = rules(source);
    let actions: Vec<Action> = made.iter().map(|rule| rule.action).collect();
    assert_eq!(actions, [Action::Pass, Action::Drop].repeat(2), "however many names, one rule asks them");
    let sids: std::collections::BTreeSet<u32> = made.iter().map(|rule| rule.about.sid).collect();
    assert_eq!(sids.len(), 4, "every rule has a number of its own");
    assert!(made[0].to_string().contains("dataset:isset,group_0;"), "{}", made[0]);
    let names = group(source).lists.find("group_0").cloned().unwrap();
    let on_it = ["www.example.com", "a.www.example.com", "example.org", "a.b.example.org"];
    assert_eq!(on_it.map(|name| names.contains(name.as_bytes())), [true, false, true, true]);
}

#[test]
fn stateless_rules_stand_in_the_order_of_their_priorities() {
    let source = r#"{"StatelessRulesAndCustomActions": {"StatelessRules": [
        {"RuleDefinition": {"MatchAttributes": {}, "Actions": ["aws:forward_to_sfe"]}, "Priority": 9},
        {"RuleDefinition": {"MatchAttributes": {"DestinationPorts": [{"FromPort": 80, "ToPort": 81}]},
                            "Actions": ["aws:pass"]}, "Priority": 5},
        {"RuleDefinition": {"MatchAttributes": {"Sources": [{"AddressDefinition": "192.0.2.0/24"}], "Protocols": [6]},
                            "Actions": ["aws:drop"]}, "Priority": 1}]}}"#;
    assert_eq!(
        heads(source),
        [
            "Drop tcp [192.0.2.0/24] any -> any any",
            "Pass tcp any any -> any [80:81]",
            "Pass udp any any -> any [80:81]"
        ]
    );
}

#[test]
fn what_a_group_says_names_stand_for_holds() {
    let text = br#"{"RuleVariables": {"IPSets": {"OURS": {"Definition": ["10.7.0.0/16", "10.8.0.1"]}},
                                      "PortSets": {"WEB": {"Definition": ["80", "8080:8090"]}}},
                    "RulesSource": {"RulesString": "drop tcp $OURS any -> any $WEB (sid:1;)"}}"#;
    let group = RuleGroup::read("group.json", text, 0).unwrap();
    let mut settings = Settings::default();
    group.define(&mut settings.variables).unwrap();
    let loading = Loading::new(&[group.file], &settings);
    assert_eq!((loading.rules.len(), loading.refused), (1, 0), "{:?}", loading.refusals);
}

#[test]
fn what_has_no_counterpart_is_named() {
    let read = |source: &str| {
        let text = format!("{{\"RulesSource\": {source}}}");
        RuleGroup::read("group.json", text.as_bytes(), 0).unwrap_err().to_string()
    };
    let list = r#"{"RulesSourceList": {"Targets": ["a\";b"], "TargetTypes": ["TLS_SNI"], "GeneratedRulesType": "DENYLIST"}}"#;
    assert!(read(list).starts_with("Targets `a\";b` is not supported"), "{}", read(list));
    let custom = r#"{"StatelessRulesAndCustomActions": {"StatelessRules": [
        {"RuleDefinition": {"MatchAttributes": {}, "Actions": ["mine"]}, "Priority": 1}]}}"#;
    assert_eq!(read(custom), "stateless Actions `mine` is not supported");
    assert!(RuleGroup::read("x", b"{}", 0).is_err() && RuleGroup::read("x", b"[", 0).is_err());
}
