//! What an inspector keeps is bounded, for all and for each endpoint, and what happens at the bound is the operator's
//! choice.

use std::sync::Arc;

use crate::common::{Desk, policy};
use flow::{Moment, Settings};
use inspect::{AtFull, DropReason, Limits, Share, TenantCounts, Tenants, Verdict};
use policy::DefaultAction;
use wire::EndpointId;
use wire::testkit::{gwlb, udp};

const LIMITED: u64 = 7;
const SECOND: u64 = 1_000_000_000;
const RULES: &str = "alert udp any any -> any any (sid:1; content:\"a\";)";

/// A frame of the nth flow of an endpoint.
fn frame(endpoint: u64, nth: u16) -> Vec<u8> {
    let inner = udp(&format!("10.0.0.1:{nth}"), "192.0.2.80:53").payload(b"a").build();
    gwlb().endpoint(endpoint).inner(&inner).build()
}

fn desk(share: Share, at_full: AtFull) -> (Desk, Arc<Tenants>) {
    let tenants = Arc::new(Tenants::new([(EndpointId(LIMITED), share)]));
    let limits = Limits { at_full, tenants: Arc::clone(&tenants), ..Limits::default() };
    let settings = Settings { flows: 1000, ..Settings::default() };
    let mut desk = Desk::with(&settings, policy(RULES, DefaultAction::Forward));
    desk.inspector = desk.inspector.within(&limits);
    (desk, tenants)
}

fn counts(tenants: &Tenants) -> TenantCounts {
    tenants.counts().map(|(_, counts)| counts).next().unwrap_or_default()
}

#[test]
fn an_endpoint_has_no_more_flows_than_its_share_and_others_do_not_notice() {
    let (mut desk, tenants) = desk(Share { flows: 3, sessions: u64::MAX }, AtFull::Headers);
    let frames: Vec<_> = (1..=5).map(|nth| frame(LIMITED, nth)).collect();
    let refused = Verdict::Drop(DropReason::EndpointFlows);
    assert_eq!(desk.judge(&frames)[..], [[Verdict::Forward; 3].as_slice(), &[refused; 2]].concat());
    assert_eq!(desk.judge(&frames[..3]), [Verdict::Forward; 3], "flows that there are go on");
    let others: Vec<_> = (1..=50).map(|nth| frame(8, nth)).collect();
    assert_eq!(desk.judge(&others), [Verdict::Forward; 50]);
    assert_eq!(desk.inspector.flows().len(), 53);
    assert_eq!(desk.inspector.counts().flows_begun, 53, "what was refused never began");
    let TenantCounts { flows, flows_refused, .. } = counts(&tenants);
    assert_eq!((flows, flows_refused), (3, 2));

    // Its flows end, and there is room again.
    desk.now = Moment(desk.now.0 + 200 * SECOND);
    for _ in 0..100 {
        desk.now = Moment(desk.now.0 + SECOND / 10);
        desk.inspector.tick(desk.now);
    }
    assert_eq!(desk.inspector.flows().len(), 0);
    assert_eq!(counts(&tenants).flows, 0);
    assert_eq!(desk.judge(&frames[3..]), [Verdict::Forward; 2]);
}

#[test]
fn a_flow_that_begins_again_counts_once() {
    let (mut desk, tenants) = desk(Share { flows: 1, sessions: u64::MAX }, AtFull::Headers);
    for _ in 0..5 {
        assert_eq!(desk.judge(&[frame(LIMITED, 1)]), [Verdict::Forward]);
        // Longer than it may be idle, and no sweep in between: its next packet finds it at its end.
        desk.now = Moment(desk.now.0 + 400 * SECOND);
    }
    assert_eq!(counts(&tenants), TenantCounts { flows: 1, sessions: 1, ..TenantCounts::default() });
}

#[test]
fn flows_that_find_no_room_to_be_looked_into_are_judged_by_their_headers_or_dropped() {
    for (at_full, after) in
        [(AtFull::Headers, Verdict::Forward), (AtFull::Drop, Verdict::Drop(DropReason::SessionsFull))]
    {
        let (mut desk, tenants) = desk(Share { flows: u64::MAX, sessions: 2 }, at_full);
        let frames: Vec<_> = (1..=4).map(|nth| frame(LIMITED, nth)).collect();
        assert_eq!(desk.judge(&frames), [Verdict::Forward, Verdict::Forward, after, after]);
        assert_eq!(desk.told().0, [1, 1], "two were looked into");
        let TenantCounts { flows, sessions, sessions_refused, .. } = counts(&tenants);
        assert_eq!((flows, sessions, sessions_refused), (4, 2, 2));
        assert_eq!(desk.inspector.counts().sessions_lost, 2);
        assert_eq!(desk.judge(&[frame(8, 1)]), [Verdict::Forward], "another endpoint's flow");
        assert_eq!(desk.told().0, [1]);
    }
}

#[test]
fn a_worker_without_room_may_drop_what_it_cannot_look_into() {
    let mut desk = Desk::new(RULES);
    desk.inspector =
        desk.inspector.within(&Limits { sessions: 1, at_full: AtFull::Drop, ..Limits::default() });
    let full = Verdict::Drop(DropReason::SessionsFull);
    assert_eq!(desk.judge(&[frame(1, 1), frame(1, 2), frame(1, 2)]), [Verdict::Forward, full, full]);
}
