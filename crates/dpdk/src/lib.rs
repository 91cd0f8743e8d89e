//! DPDK, safely: who holds a value owns what it names, and giving it away is a move. Knows nothing of GENEVE.
//!
//! ```text
//!  Eal::init ──▶ Mempool::create ──▶ PortSpec::start ──▶ Started { port, rx, tx }
//!                     │                                              │     │
//!                     └── Mbuf ◀── RxQueue::recv ◀───────────────────┘     │
//!                          └─────▶ TxQueue::send ◀─────────────────────────┘
//! ```
//! - One thread has the [`Eal`], the proof that DPDK runs: it makes pools and starts ports, and [`Eal::tend`]s them.
//! - A data thread pins itself, then holds a [`Lcore`]: without it every mbuf goes past the pool's cache (3× slower).
//! - A queue belongs to one thread, an [`Mbuf`] to one owner. Dropping an mbuf frees it, dropping the last handle of a
//!   port stops it. Pools are leaked on purpose, so no mbuf can outlive its pool.

mod eal;
mod errno;
mod interface;
mod lcore;
mod mbuf;
mod mempool;
mod port;
mod queue;
mod spec;
mod vdev;

pub use eal::{Eal, EalArgs, EalError, Iova, LogLevel, Memory, version};
pub use errno::Errno;
pub use lcore::{Lcore, LcoreError, tsc, tsc_hz};
pub use mbuf::{Mbuf, MbufError};
pub use mempool::{Mempool, MempoolError, MempoolSpec};
pub use port::{Link, Port, PortStats, Xstat};
pub use queue::{RxQueue, TxQueue};
pub use spec::{PortError, PortSpec, Started};
pub use vdev::Vdev;
