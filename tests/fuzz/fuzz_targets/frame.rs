//! Any bytes as a frame. Checksums are made right first, else nearly every change would end there.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::reflect;
use wire::testkit::{check_frame, set_outer_checksum};

fuzz_target!(|frame: &[u8]| {
    check_frame(frame);
    let mut frame = frame.to_vec();
    if frame.len() >= 74 {
        set_outer_checksum(&mut frame);
        // The UDP checksum of a usual frame; zero says that there is none.
        frame[40..42].fill(0);
        check_frame(&frame);
    }
    let before = frame.clone();
    reflect(&mut frame);
    check_frame(&frame);
    reflect(&mut frame);
    assert_eq!(frame, before);
});
