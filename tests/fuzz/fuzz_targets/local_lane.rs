//! Frames to the local lane, one after the other: as they are, or as TCP segments of eight clients with right checksums
//! and, if the bytes want it, right numbers, so that connections come to be. No frame gets more than a few answers, and
//! every answer comes from us.
#![no_main]

use std::sync::LazyLock;

use config::{Machine, Settings};
use control::{Health, Host, Vitals};
use flow::Moment;
use libfuzzer_sys::fuzz_target;
use wire::TcpFlags;
use wire::testkit::{plain, tcp};

const MAC: [u8; 6] = [0x0a, 0, 0, 0, 0, 2];

static SETTINGS: LazyLock<Settings> = LazyLock::new(|| {
    let text = "[port]\nprofile = \"null\"\naddress = \"10.100.1.30/24\"\n[health]\nconnections = 4\n";
    Settings::from_toml("fuzz", text, &Machine { cpus: vec![0], huge_page_bytes: 0 }).unwrap()
});

/// What a client knows of its connection: its own next number, and the appliance's.
type Numbers = [(u32, u32); 8];

fuzz_target!(|bytes: &[u8]| {
    let mut host = Host::new(&SETTINGS, MAC, 1, Moment(0));
    let vitals = Vitals {
        now: Moment(0),
        link_up: true,
        heartbeats: Vec::new(),
        generation: Some(1),
        draining: false,
    };
    let health = Health::of(&vitals);
    let mut numbers: Numbers = [(1, 0); 8];
    let mut rest = bytes;
    let mut now = Moment(0);
    while let [kind, what, length, after @ ..] = rest {
        let (data, after) = after.split_at(after.len().min(usize::from(*length)));
        rest = after;
        let mut frame = match kind & 1 {
            0 => Some(data.to_vec()),
            _ => Some(segment(usize::from(kind >> 5), kind >> 1 & 3, *what, data, &mut numbers)),
        };
        now = Moment(now.0 + u64::from(*what) * 1_000_000);
        let mut sent = 0;
        host.turn(
            now,
            &health,
            || frame.take(),
            |answer| {
                assert_eq!(answer[6..12], MAC);
                learn(answer, &mut numbers);
                sent += 1;
                true
            },
        );
        assert!(sent <= 16, "{sent} answers");
    }
});

fn segment(client: usize, luck: u8, flags: u8, data: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let (own, theirs) = numbers[client];
    let packet = tcp(&format!("10.100.1.20:{}", 1000 + client), "10.100.1.30:80")
        .flags(TcpFlags(flags))
        .sequence(own.wrapping_add(if luck == 3 { 7 } else { 0 }))
        .acknowledgment(theirs)
        .payload(data)
        .build();
    let takes = data.len() as u32 + u32::from(flags & 1) + u32::from(flags >> 1 & 1);
    numbers[client].0 = own.wrapping_add(takes);
    plain(&packet)
}

/// Note what an answer's segment takes of the appliance's numbers.
fn learn(answer: &[u8], numbers: &mut Numbers) {
    if answer.len() < 54 || answer[12..14] != [8, 0] || answer[23] != 6 {
        return;
    }
    let client = usize::from(u16::from_be_bytes([answer[36], answer[37]]).saturating_sub(1000)) % 8;
    let number = u32::from_be_bytes([answer[38], answer[39], answer[40], answer[41]]);
    let payload = answer.len() - 34 - usize::from(answer[46] >> 4) * 4;
    let takes = payload as u32 + u32::from(answer[47] & 1) + u32::from(answer[47] >> 1 & 1);
    numbers[client].1 = number.wrapping_add(takes);
}
