//! What the benches share with the binary `sluice`: the adapters between `engine` and `dpdk`, how a data thread begins, and
//! the allocator. A bench that brought its own would measure another appliance.

mod data_thread;
mod large_pages;
mod nic;

pub use data_thread::{EnterError, clock, enter};
pub use large_pages::LargePages;
pub use nic::{NicSink, NicSource};
