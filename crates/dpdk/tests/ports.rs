//! Ports over software devices, without privileges: `--no-huge`, no network.
//!
//! DPDK starts once per process, on a thread that keeps the `Eal`; each test hands that thread its work. So the tests
//! pass in one process (`cargo test`) as well as in one each (`cargo nextest`).
// clippy.toml allows these in tests, but means functions marked as such, not what they share.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};
use std::{env, fs, process, thread};

use arrayvec::ArrayVec;
use dpdk::{
    Eal, EalArgs, EalError, Lcore, LcoreError, LogLevel, Mbuf, MbufError, Memory, Mempool, MempoolSpec,
    PortError, PortSpec,
};

type Work = Box<dyn FnOnce(&Eal) + Send>;

fn args() -> EalArgs {
    EalArgs { memory: Memory::Ordinary, memory_mb: 128, log_level: LogLevel::Error, ..EalArgs::default() }
}

/// Runs `work` where DPDK runs, and gives back what it returned.
fn with_eal<T: Send + 'static>(work: impl FnOnce(&Eal) -> T + Send + 'static) -> T {
    static DPDK: OnceLock<Sender<Work>> = OnceLock::new();
    let dpdk = DPDK.get_or_init(|| {
        let (sender, works) = channel::<Work>();
        thread::spawn(move || {
            let eal = Eal::init(&args()).unwrap();
            works.into_iter().for_each(|work| work(&eal));
        });
        sender
    });
    let (sender, result) = channel();
    let run = move |eal: &Eal| {
        sender.send(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(eal)))).unwrap()
    };
    dpdk.send(Box::new(run)).unwrap();
    result.recv().unwrap().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn pool(eal: &Eal, name: &str, data_room: u16) -> Mempool {
    Mempool::create(eal, &MempoolSpec { name: name.into(), mbufs: 511, cache: 64, data_room }).unwrap()
}

fn port(device: impl Into<String>) -> PortSpec {
    PortSpec {
        device: device.into(),
        rx_queues: 1,
        tx_queues: 1,
        rx_descriptors: 256,
        tx_descriptors: 256,
        mtu: 1500,
    }
}

/// Frames of many lengths, each with bytes of its own.
fn frames(count: u8, longest: usize) -> Vec<Vec<u8>> {
    (0..count)
        .map(|n| {
            (0..=longest - usize::from(n)).map(|at| n.wrapping_add(u8::try_from(at % 251).unwrap())).collect()
        })
        .collect()
}

fn scratch(name: &str) -> PathBuf {
    env::temp_dir().join(format!("sluice-dpdk-{}-{name}", process::id()))
}

/// A capture in the classic format, link type Ethernet (pcap-savefile(5)).
fn write_pcap(path: &PathBuf, frames: &[Vec<u8>]) {
    let word = u32::to_le_bytes;
    let mut file = [word(0xa1b2_c3d4), word(0x0004_0002), word(0), word(0), word(65535), word(1)].concat();
    for frame in frames {
        let len = word(frame.len().try_into().unwrap());
        file.extend([word(1), word(2), len, len].concat());
        file.extend(frame);
    }
    fs::write(path, file).unwrap();
}

fn read_pcap(path: &PathBuf) -> Vec<Vec<u8>> {
    let file = fs::read(path).unwrap();
    let mut rest = &file[24..];
    let mut frames = Vec::new();
    while let Some((header, tail)) = rest.split_first_chunk::<16>() {
        let len = u32::from_le_bytes(header[8..12].try_into().unwrap()) as usize;
        frames.push(tail[..len].to_vec());
        rest = &tail[len..];
    }
    frames
}

#[test]
fn a_handle_of_a_frame_is_one_pointer() {
    assert_eq!((size_of::<Mbuf>(), size_of::<Option<Mbuf>>()), (8, 8));
}

#[test]
fn dpdk_starts_once_per_process() {
    with_eal(|_| assert!(matches!(Eal::init(&args()), Err(EalError::Twice))));
}

#[test]
fn starting_dpdk_leaves_the_callers_cpus_alone() {
    with_eal(|_| {
        let cpus = |status: String| {
            status.lines().find(|line| line.starts_with("Cpus_allowed_list")).map(str::to_owned)
        };
        let mine = cpus(fs::read_to_string("/proc/thread-self/status").unwrap());
        assert_eq!(mine, cpus(fs::read_to_string("/proc/self/status").unwrap()));
    });
}

#[test]
fn an_mbuf_holds_the_bytes_it_was_made_of_and_returns_to_its_pool() {
    with_eal(|eal| {
        let pool = pool(eal, "bytes", 2176);
        let mut mbuf = Mbuf::from_bytes(pool, b"a frame").unwrap();
        assert_eq!(mbuf.as_ref(), b"a frame");
        mbuf.as_mut()[0] = b'A';
        assert_eq!(mbuf.as_ref(), b"A frame");
        assert_eq!(pool.available(), 510);
        drop(mbuf);
        assert_eq!(pool.available(), 511);
    });
}

#[test]
fn bytes_that_do_not_fit_one_mbuf_are_refused_with_the_lengths() {
    with_eal(|eal| {
        let pool = pool(eal, "too long", 256);
        assert_eq!(Mbuf::from_bytes(pool, &[7; 128]).unwrap().as_ref(), [7; 128]);
        assert_eq!(
            Mbuf::from_bytes(pool, &[7; 129]).unwrap_err(),
            MbufError::TooLong { len: 129, room: 128 }
        );
        assert_eq!(
            Mbuf::from_bytes(pool, &[7; 70_000]).unwrap_err(),
            MbufError::TooLong { len: 70_000, room: 128 }
        );
        assert_eq!(pool.available(), 511);
    });
}

#[test]
fn an_exhausted_pool_says_so_and_recovers() {
    with_eal(|eal| {
        let pool = pool(eal, "exhausted", 256);
        let mut all: ArrayVec<Mbuf, 511> = (0..511).map(|_| Mbuf::from_bytes(pool, b"x").unwrap()).collect();
        assert_eq!(Mbuf::from_bytes(pool, b"x").unwrap_err(), MbufError::Exhausted);
        Mbuf::free_burst(&mut all);
        assert_eq!((all.len(), pool.available()), (0, 511));
    });
}

#[test]
fn a_pool_of_a_taken_name_is_refused_with_what_was_asked_for() {
    with_eal(|eal| {
        pool(eal, "taken", 256);
        let spec = MempoolSpec { name: "taken".into(), mbufs: 511, cache: 64, data_room: 256 };
        let said = Mempool::create(eal, &spec).unwrap_err().to_string();
        assert!(
            said.starts_with("mempool \"taken\" of 511 mbufs with 256 bytes each, cache 64: File exists"),
            "{said}"
        );
    });
}

#[test]
fn the_data_room_for_an_mtu_is_known_up_to_what_a_mbuf_can_hold() {
    assert_eq!(MempoolSpec::data_room_for(1500), Some(2176));
    assert_eq!(MempoolSpec::data_room_for(8568), Some(8832));
    assert_eq!(MempoolSpec::data_room_for(u16::MAX), None);
}

#[test]
fn a_null_port_receives_bursts_and_swallows_what_is_sent_and_nothing_leaks() {
    with_eal(|eal| {
        let pool = pool(eal, "null", 2176);
        let mut started = port("net_null0,size=80").start(eal, pool).unwrap();
        let mut burst = ArrayVec::<Mbuf, 32>::new();
        assert_eq!(started.rx[0].recv(&mut burst), 32);
        assert!(burst.iter().all(|mbuf| mbuf.as_ref().len() == 80));
        assert_eq!(started.rx[0].recv(&mut burst), 0, "a full burst takes no more");
        burst.truncate(20);
        assert_eq!(started.rx[0].recv(&mut burst), 12, "the free part is filled");
        assert_eq!(started.tx[0].send(&mut burst), 32);
        assert!(burst.is_empty());
        assert_eq!(started.port.driver().unwrap(), "net_null");
        assert_eq!(started.port.stats().unwrap().tx_frames, 32);
        drop(started);
        assert_eq!(pool.available(), 511);
    });
}

#[test]
fn a_looped_ring_gives_back_the_frames_in_order_and_keeps_what_it_cannot_take() {
    with_eal(|eal| {
        let pool = Mempool::create(
            eal,
            &MempoolSpec { name: "ring".into(), mbufs: 2047, cache: 0, data_room: 2176 },
        )
        .unwrap();
        let mut started = port("net_ring0").start(eal, pool).unwrap();
        let mut offered: ArrayVec<Mbuf, 1500> =
            (0..1500_u32).map(|n| Mbuf::from_bytes(pool, &n.to_be_bytes()).unwrap()).collect();
        // DPDK's looped rings hold 1023.
        assert_eq!(started.tx[0].send(&mut offered), 1023);
        assert_eq!(offered[0].as_ref(), 1023_u32.to_be_bytes(), "the rest stays, in order");
        let mut came = ArrayVec::<Mbuf, 1100>::new();
        while started.rx[0].recv(&mut came) > 0 {}
        let numbers = came.iter().map(|mbuf| u32::from_be_bytes(mbuf.as_ref().try_into().unwrap()));
        assert!(numbers.eq(0..1023));
        assert!(started.port.link().unwrap().up);
        drop((offered, came, started));
        assert_eq!(pool.available(), 2047);
    });
}

#[test]
fn a_capture_goes_through_byte_for_byte() {
    with_eal(|eal| {
        let (input, output) = (scratch("in.pcap"), scratch("out.pcap"));
        let sent = frames(100, 1514);
        write_pcap(&input, &sent);
        let pool = pool(eal, "capture", MempoolSpec::data_room_for(1500).unwrap());
        let device = format!("net_pcap0,rx_pcap={},tx_pcap={}", input.display(), output.display());
        let mut started = port(device).start(eal, pool).unwrap();
        let mut burst = ArrayVec::<Mbuf, 32>::new();
        while started.rx[0].recv(&mut burst) > 0 {
            started.tx[0].send(&mut burst);
            assert!(burst.is_empty());
        }
        let stats = started.port.stats().unwrap();
        assert_eq!((stats.rx_frames, stats.tx_frames), (100, 100));
        let xstats = started.port.xstats().unwrap();
        assert!(
            xstats.iter().any(|xstat| xstat.name == "rx_good_packets" && xstat.value == 100),
            "{xstats:?}"
        );
        drop(started);
        assert_eq!(read_pcap(&output), sent);
        assert_eq!(pool.available(), 511);
        fs::remove_file(input).unwrap();
        fs::remove_file(output).unwrap();
    });
}

#[test]
fn the_largest_gwlb_frame_is_one_segment() {
    with_eal(|eal| {
        let input = scratch("jumbo.pcap");
        let sent = frames(3, 8582);
        write_pcap(&input, &sent);
        let pool = pool(eal, "jumbo", MempoolSpec::data_room_for(8568).unwrap());
        let spec = PortSpec { mtu: 8568, ..port(format!("net_pcap1,rx_pcap={}", input.display())) };
        let mut started = spec.start(eal, pool).unwrap();
        let mut burst = ArrayVec::<Mbuf, 32>::new();
        assert_eq!(started.rx[0].recv(&mut burst), 3);
        assert!(burst.iter().map(Mbuf::as_ref).eq(&sent));
        fs::remove_file(input).unwrap();
    });
}

#[test]
fn a_frame_in_several_segments_is_refused_and_counted_and_its_neighbours_pass() {
    with_eal(|eal| {
        let input = scratch("segments.pcap");
        let sent = [vec![1; 60], vec![2; 4000], vec![3; 60], vec![4; 9000], vec![5; 60]];
        write_pcap(&input, &sent);
        let pool = pool(eal, "segments", 2176);
        let mut started = port(format!("net_pcap2,rx_pcap={}", input.display())).start(eal, pool).unwrap();
        let mut burst = ArrayVec::<Mbuf, 32>::new();
        burst.push(Mbuf::from_bytes(pool, &[0; 60]).unwrap());
        assert_eq!(started.rx[0].recv(&mut burst), 3);
        assert!(burst.iter().map(|mbuf| mbuf.as_ref()[0]).eq([0, 1, 3, 5]));
        assert_eq!(started.port.stats().unwrap().rx_refused, 2);
        drop((burst, started));
        assert_eq!(pool.available(), 511);
        fs::remove_file(input).unwrap();
    });
}

#[test]
fn a_device_that_cannot_be_is_an_error_and_leaves_nothing_behind() {
    with_eal(|eal| {
        let pool = pool(eal, "cannot", 2176);
        for device in ["net_nonsense0", "net_pcap3,rx_pcap=/does/not/exist.pcap", "0000:00:1f.7", ""] {
            let error = port(device).start(eal, pool).unwrap_err();
            assert!(matches!(&error, PortError::Probe { device: named, .. } if named == device), "{error:?}");
        }
        let error = port("net_null1\0").start(eal, pool).unwrap_err();
        assert!(matches!(error, PortError::Name(_)));
        assert_eq!(pool.available(), 511);
    });
}

#[test]
fn a_device_has_one_owner_and_can_be_started_again_after_it_stopped() {
    with_eal(|eal| {
        let pool = pool(eal, "owner", 2176);
        let first = port("net_null2").start(eal, pool).unwrap();
        assert!(matches!(port("net_null2,size=9").start(eal, pool), Err(PortError::Owned(_))));
        let handle = first.port.clone();
        drop(first);
        assert!(matches!(port("net_null2").start(eal, pool), Err(PortError::Owned(_))), "a handle keeps it");
        drop(handle);
        port("net_null2").start(eal, pool).unwrap();
    });
}

#[test]
fn more_queues_than_the_device_has_are_refused_with_its_limit() {
    with_eal(|eal| {
        let pool = pool(eal, "queues", 2176);
        let spec = PortSpec { rx_queues: 17, ..port("net_ring1") };
        let said = spec.start(eal, pool).unwrap_err().to_string();
        assert_eq!(said, "device \"net_ring1\" has at most 16 receive queues, not 17");
    });
}

#[test]
fn a_pool_whose_mbufs_cannot_hold_the_mtu_is_refused() {
    with_eal(|eal| {
        let pool = pool(eal, "room", 2176);
        let spec = PortSpec { mtu: 8568, ..port("net_null3") };
        let said = spec.start(eal, pool).unwrap_err().to_string();
        assert_eq!(
            said,
            "a mbuf with a data room of 2176 bytes cannot hold a frame of MTU 8568: it needs 8710"
        );
    });
}

#[test]
fn a_port_of_several_queues_has_each_once() {
    with_eal(|eal| {
        let pool = pool(eal, "several", 2176);
        let mut started =
            PortSpec { rx_queues: 2, tx_queues: 2, ..port("net_ring2") }.start(eal, pool).unwrap();
        let mut burst = ArrayVec::<Mbuf, 4>::new();
        burst.push(Mbuf::from_bytes(pool, b"second").unwrap());
        started.tx[1].send(&mut burst);
        assert_eq!(started.rx[0].recv(&mut burst), 0);
        assert_eq!(started.rx[1].recv(&mut burst), 1);
        assert_eq!(burst[0].as_ref(), b"second");
    });
}

#[test]
fn a_thread_becomes_an_lcore_once_and_stops_being_one() {
    with_eal(|_| {
        assert_eq!(Lcore::register().unwrap_err(), LcoreError::Already(0), "the thread that started DPDK");
        let data = thread::spawn(|| {
            let lcore = Lcore::register().unwrap();
            assert!(matches!(Lcore::register(), Err(LcoreError::Already(1..))));
            drop(lcore);
            drop(Lcore::register().unwrap());
        });
        data.join().unwrap();
    });
}

#[test]
fn frames_and_queues_move_between_threads() {
    with_eal(|eal| {
        let pool = pool(eal, "threads", 2176);
        let mut started = port("net_ring3").start(eal, pool).unwrap();
        let mut tx = started.tx.remove(0);
        let sender = thread::spawn(move || {
            let _lcore = Lcore::register().unwrap();
            let mut burst: ArrayVec<Mbuf, 32> =
                (0..32).map(|n| Mbuf::from_bytes(pool, &[n]).unwrap()).collect();
            tx.send(&mut burst)
        });
        assert_eq!(sender.join().unwrap(), 32);
        let mut burst = ArrayVec::<Mbuf, 32>::new();
        assert_eq!(started.rx[0].recv(&mut burst), 32);
        drop((burst, started));
        assert_eq!(pool.available(), 511);
    });
}

#[test]
fn the_clock_of_the_cpu_goes_forward_at_a_known_rate() {
    with_eal(|eal| {
        let (before, after) = (dpdk::tsc(), dpdk::tsc());
        assert!(before < after);
        assert!(dpdk::tsc_hz(eal) > 100_000_000);
        eal.tend();
    });
}

#[test]
fn the_release_of_dpdk_is_known_without_starting_it() {
    assert!(dpdk::version().starts_with("DPDK 2"), "{}", dpdk::version());
}
