//! What a listener's rules say, and when: of what was acknowledged, with the next packet that goes its way; of the rest when
//! the flow is over.

use std::time::Duration;

use inspect::Mode;

use crate::common::Desk;
use crate::talk::Talk;

const NONE: [u32; 0] = [];
const RULES: &str = r#"
    alert tcp any any -> any any (content:"secret"; sid:1;)
    alert http any any -> any any (http.uri; content:"/secret"; sid:2;)
    alert http any any -> any any (http.stat_code; content:"200"; sid:3;)
"#;

fn listening(rules: &str) -> Desk {
    let mut desk = Desk::new(rules);
    desk.inspector = desk.inspector.in_mode(Mode { passive: true, ..Mode::default() });
    desk
}

/// Time goes on until the flow is over.
fn run_out(desk: &mut Desk) {
    for _ in 0..200 {
        desk.now = desk.now.after(Duration::from_secs(4));
        desk.inspector.tick(desk.now);
    }
}

#[test]
fn rules_look_at_what_is_acknowledged_with_the_next_packet_of_its_way() {
    let mut desk = listening(RULES);
    let mut talk = Talk::open(&mut desk);
    talk.say(&mut desk, true, b"GET /secret HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(desk.told().0, NONE, "nobody has acknowledged it");
    talk.say(&mut desk, false, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(desk.told().0, NONE, "this packet goes the other way");
    talk.say(&mut desk, true, b"");
    assert_eq!(desk.told().0, [1, 2]);
    talk.say(&mut desk, false, b"");
    assert_eq!(desk.told().0, [3]);
    run_out(&mut desk);
    assert_eq!(desk.told(), (vec![], 1), "nothing is told twice");
}

#[test]
fn what_nobody_acknowledges_is_told_when_the_flow_is_over() {
    let mut desk = listening(RULES);
    let mut talk = Talk::open(&mut desk);
    talk.say(&mut desk, true, b"GET /secret HTTP/1.1\r\nHost: a\r\n\r\n");
    run_out(&mut desk);
    assert_eq!(desk.told(), (vec![1, 2], 1));
}

#[test]
fn a_head_that_only_the_end_completes_is_judged_inline_too() {
    let rules = r#"alert http any any -> any any (flow:to_client; http.server; content:"odd"; sid:1;)"#;
    let mut desk = Desk::new(rules);
    let mut talk = Talk::open(&mut desk);
    talk.say(&mut desk, true, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    talk.say(&mut desk, false, b"HTTP/1.1 200 OK\r\nServer: odd\r\n");
    assert_eq!(desk.told().0, NONE, "the line may go on");
    run_out(&mut desk);
    assert_eq!(desk.told(), (vec![1], 1));
}

#[test]
fn an_exchange_is_told_with_the_packet_that_goes_the_way_of_its_answer() {
    let mut desk = listening(
        r#"alert http any any => any any (http.uri; content:"/secret"; http.stat_code; content:"200"; sid:1;)"#,
    );
    let mut talk = Talk::open(&mut desk);
    talk.say(&mut desk, true, b"GET /secret HTTP/1.1\r\nHost: a\r\n\r\n");
    talk.say(&mut desk, false, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    talk.say(&mut desk, true, b"");
    assert_eq!(desk.told().0, NONE);
    talk.say(&mut desk, false, b"");
    assert_eq!(desk.told().0, [1]);
}
