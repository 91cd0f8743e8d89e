//! Ports over kernel interfaces, in a network namespace that this process makes and that ends with it. Needs root.
// clippy.toml allows these in tests, but means functions marked as such, not what they share.
#![allow(clippy::unwrap_used)]

use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use arrayvec::ArrayVec;
use dpdk::{
    Eal, EalArgs, LogLevel, Mbuf, Memory, Mempool, MempoolSpec, PortError, PortSpec, RxQueue, Started,
    TxQueue, Vdev,
};

/// An Ethernet type for experiments (IEEE Std 802), so that a kernel's own chatter is told from ours.
const OURS: [u8; 2] = [0x88, 0xb5];

fn ip(words: &str) {
    let status = Command::new("ip").args(words.split(' ')).status().unwrap();
    assert!(status.success(), "ip {words}");
}

fn frame(len: usize, mark: u8) -> Vec<u8> {
    let mut frame = vec![mark; len];
    frame[..6].fill(0xff);
    frame[6..12].copy_from_slice(&[2, 0, 0, 0, 0, mark]);
    frame[12..14].copy_from_slice(&OURS);
    frame
}

fn start(eal: &Eal, device: String, pool: Mempool, mtu: u16) -> Result<Started, PortError> {
    let spec = PortSpec { device, rx_queues: 1, tx_queues: 1, rx_descriptors: 512, tx_descriptors: 512, mtu };
    spec.start(eal, pool)
}

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < deadline, "not within ten seconds: {what}");
        thread::yield_now();
    }
}

/// Receives until `frame` has come.
fn expect(rx: &mut RxQueue, frame: &[u8]) {
    let mut came = false;
    eventually("a frame comes whole", || {
        let mut burst = ArrayVec::<Mbuf, 32>::new();
        rx.recv(&mut burst);
        came |= burst.iter().any(|mbuf| mbuf.as_ref() == frame);
        came
    });
}

fn send(tx: &mut TxQueue, pool: Mempool, frame: &[u8]) {
    let mut burst = ArrayVec::from([Mbuf::from_bytes(pool, frame).unwrap()]);
    assert_eq!(tx.send(&mut burst), 1);
}

/// One test, since DPDK starts once and the namespace belongs to the thread that starts it.
#[test]
fn frames_up_to_the_largest_pass_kernel_interfaces_whole_in_both_directions() {
    // SAFETY: has no arguments and always succeeds.
    if unsafe { libc::geteuid() } != 0 {
        assert!(env::var_os("SLUICE_NO_SKIP").is_none(), "needs root");
        eprintln!("skipped: network namespaces need root");
        return;
    }
    // SAFETY: moves this thread alone into a namespace of its own.
    assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWNET) }, 0);
    fs::write("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1").unwrap();
    ip("link add near type veth peer name far");
    ip("link set near up");
    ip("link set far up");

    let args = EalArgs {
        memory: Memory::Ordinary,
        memory_mb: 128,
        log_level: LogLevel::Error,
        ..EalArgs::default()
    };
    let eal = Eal::init(&args).unwrap();
    let pool = |name: &str, mtu| {
        let data_room = MempoolSpec::data_room_for(mtu).unwrap();
        let spec = MempoolSpec { name: name.into(), mbufs: 4095, cache: 0, data_room };
        Mempool::create(&eal, &spec).unwrap()
    };
    let (packet, xdp, tun) = (pool("packet", 8568), pool("xdp", 1500), pool("tap", 1500));
    packet_sockets(&eal, packet, 8568);
    // Its driver keeps the 2048 mbufs that it lends the kernel per queue, even when closed: no look at the pool.
    xdp_sockets(&eal, xdp);
    tap(&eal, tun);
    assert_eq!((packet.available(), tun.available()), (4095, 4095), "no mbuf leaked");
}

fn packet_sockets(eal: &Eal, pool: Mempool, mtu: u16) {
    let af_packet = |interface| {
        Vdev::AfPacket { interface, queues: 1, data_room: pool.data_room(), slots: 64 }.to_string()
    };
    let mut near = start(eal, af_packet("near"), pool, mtu).unwrap();
    assert_eq!(near.port.mac().unwrap()[0] & 1, 0, "a unicast address");
    let mut far = start(eal, af_packet("far").replace("packet0", "packet1"), pool, mtu).unwrap();
    // More than the ring has slots, so that every slot is used.
    for (turn, len) in [60, 1514, 8582].into_iter().cycle().take(300).enumerate() {
        let frame = frame(len, u8::try_from(turn % 251).unwrap());
        send(&mut near.tx[0], pool, &frame);
        expect(&mut far.rx[0], &frame);
        send(&mut far.tx[0], pool, &frame);
        expect(&mut near.rx[0], &frame);
    }
    ip("link set far down");
    eventually("the carrier goes with the other end", || !near.port.link().unwrap().up);
    ip("link set far up");
    eventually("the carrier comes back", || near.port.link().unwrap().up);
    drop((near, far));
    let two = Vdev::AfPacket { interface: "near", queues: 2, data_room: pool.data_room(), slots: 64 };
    let unread = start(eal, two.to_string(), pool, mtu);
    assert!(matches!(unread, Err(PortError::Unread { sockets: 2, asked: 1, .. })), "{unread:?}");
    let missing = start(eal, af_packet("missing").replace("packet0", "packet2"), pool, mtu);
    assert!(matches!(missing, Err(PortError::Probe { .. })), "{missing:?}");
}

fn xdp_sockets(eal: &Eal, pool: Mempool) {
    let xdp = Vdev::AfXdp { interface: "near", queues: 1 }.to_string();
    let packet = Vdev::AfPacket { interface: "far", queues: 1, data_room: pool.data_room(), slots: 64 };
    // Linux attaches XDP to a veth only while its peer cannot send more than a page.
    ip("link set near mtu 1500");
    ip("link set far mtu 1500");
    let mut near = start(eal, xdp, pool, 1500).unwrap();
    let mut far = start(eal, packet.to_string(), pool, 1500).unwrap();
    for len in [60, 1514] {
        let frame = frame(len, 7);
        send(&mut near.tx[0], pool, &frame);
        expect(&mut far.rx[0], &frame);
        send(&mut far.tx[0], pool, &frame);
        expect(&mut near.rx[0], &frame);
    }
}

fn tap(eal: &Eal, pool: Mempool) {
    let jumbo = start(eal, Vdev::Tap { interface: "tap" }.to_string(), pool, 1505);
    assert!(matches!(jumbo, Err(PortError::Mtu { mtu: 1505, most: 1504, .. })), "{jumbo:?}");
    let mut tap = start(eal, Vdev::Tap { interface: "tap" }.to_string(), pool, 1500).unwrap();
    let packet = Vdev::AfPacket { interface: "tap", queues: 1, data_room: pool.data_room(), slots: 64 };
    let mut kernel = start(eal, packet.to_string(), pool, 1500).unwrap();
    for len in [60, 1514] {
        let frame = frame(len, 9);
        send(&mut tap.tx[0], pool, &frame);
        expect(&mut kernel.rx[0], &frame);
        send(&mut kernel.tx[0], pool, &frame);
        expect(&mut tap.rx[0], &frame);
    }
}
