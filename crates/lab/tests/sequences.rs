//! The API as a state machine: whatever is called in whatever order, the model stays whole.

#![allow(clippy::unwrap_used, reason = "what a test builds on must be there")]

mod calls;
mod common;

use calls::{CALLS, call, stand};
use common::User;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn any_fifty_calls_leave_the_model_whole(
        calls in prop::collection::vec((0..CALLS.len(), any::<u16>(), any::<[u16; 4]>()), 50)
    ) {
        let mut user = User::new();
        let mut known = stand(&mut user);
        for one in calls {
            let before = user.lab.state().clone();
            let (called, reply) = call(&mut user, &mut known, one);
            prop_assert!(reply.status == 200 || reply.status == 400, "{called}: {}", reply.body);
            if reply.status == 400 {
                let mut settled = before;
                settled.settle(user.now);
                prop_assert_eq!(user.lab.state(), &settled, "{} was refused and changed something", called);
            }
            if let Err(flaw) = user.lab.state().check() {
                prop_assert!(false, "{flaw} after {called}");
            }
        }
        let kept = serde_json::to_vec(user.lab.state()).unwrap();
        prop_assert_eq!(&serde_json::from_slice::<lab::state::State>(&kept).unwrap(), user.lab.state());
    }

    #[test]
    fn any_bytes_are_answered(body: Vec<u8>) {
        let mut user = User::new();
        let text = String::from_utf8_lossy(&body);
        let reply = user.send(&text);
        prop_assert!((400..500).contains(&reply.status));
    }
}
