//! Any bytes as a GENEVE header with its options.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::testkit::check_options;

fuzz_target!(|header: &[u8]| check_options(header));
