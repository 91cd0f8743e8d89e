//! What a port should be, and how it comes to run.

use std::ffi::{CStr, CString, c_int, c_void};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use dpdk_sys::{rte_eth_conf, rte_eth_dev_info};

use crate::interface::Interface;
use crate::port::{self, Device};
use crate::{Eal, Errno, Mempool, MempoolSpec, Port, RxQueue, TxQueue, eal};

/// What a port should be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PortSpec {
    /// DPDK's name of the device and its arguments: `0000:00:06.0,llq_policy=1`, `net_af_packet0,iface=eth1`,
    /// `net_pcap0,rx_pcap=in.pcap,tx_pcap=out.pcap`. A software device is made by starting it; a PCI device must be
    /// among [`crate::EalArgs::pci`].
    pub device: String,
    /// Receive queues. With more than one the device spreads flows over them by RSS, if it can.
    pub rx_queues: u16,
    /// Transmit queues.
    pub tx_queues: u16,
    /// Descriptors of each receive queue; the driver may round.
    pub rx_descriptors: u16,
    /// Descriptors of each transmit queue; the driver may round.
    pub tx_descriptors: u16,
    /// Largest outer IP packet, in bytes; 8568 for GWLB's 8500 inside (AWS, "Gateway Load Balancers").
    pub mtu: u16,
}

/// A port that runs, and its queues in the order of their numbers.
#[derive(Debug)]
pub struct Started {
    /// What is not a queue.
    pub port: Port,
    /// The receive queues.
    pub rx: Vec<RxQueue>,
    /// The transmit queues.
    pub tx: Vec<TxQueue>,
}

/// Why a port does not run.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// The device string holds a zero byte.
    #[error("device {0:?} holds a zero byte")]
    Name(String),
    /// No driver made a port of it; the driver's own words are on stderr.
    #[error("device {device:?} was not found or refused its arguments: {errno}")]
    Probe {
        /// The device string.
        device: String,
        /// DPDK's reason.
        errno: Errno,
    },
    /// A bus took the device, yet there is no port of that name.
    #[error("device {0:?} has no port")]
    NoPort(String),
    /// The device already has an owner in this process.
    #[error("device {0:?} is already a running port")]
    Owned(String),
    /// More queues than the device has.
    #[error("device {device:?} has at most {most} {direction} queues, not {asked}")]
    Queues {
        /// The device string.
        device: String,
        /// "receive" or "transmit".
        direction: &'static str,
        /// What the spec says.
        asked: u16,
        /// What the driver says.
        most: u16,
    },
    /// The kernel would spread frames over sockets that nobody reads.
    #[error(
        "device {device:?} has {sockets} sockets and {asked} receive queues: what the others get would be lost"
    )]
    Unread {
        /// The device string.
        device: String,
        /// What the device string says.
        sockets: u16,
        /// What the spec says.
        asked: u16,
    },
    /// A frame of this MTU would not fit one mbuf.
    #[error("a mbuf with a data room of {room} bytes cannot hold a frame of MTU {mtu}: it needs {needed}")]
    Room {
        /// The pool's data room.
        room: u16,
        /// The spec's MTU.
        mtu: u16,
        /// The smallest data room.
        needed: u32,
    },
    /// The driver does not carry packets that large.
    #[error("device {device:?} carries packets of at most {most} bytes (MTU), not {mtu}")]
    Mtu {
        /// The device string.
        device: String,
        /// The spec's MTU.
        mtu: u16,
        /// The driver's.
        most: u16,
    },
    /// The kernel interface cannot be asked.
    #[error("device {device:?}: the kernel interface: {source}")]
    Interface {
        /// The device string.
        device: String,
        /// The kernel's reason.
        source: io::Error,
    },
    /// The kernel interface's MTU is too small and could not be raised.
    #[error("device {device:?}: the interface's MTU cannot be raised to {mtu}: {source}")]
    InterfaceMtu {
        /// The device string.
        device: String,
        /// The spec's MTU.
        mtu: u16,
        /// The kernel's reason.
        source: io::Error,
    },
    /// A step of the configuration failed.
    #[error("device {device:?}: {step}: {errno}")]
    Refused {
        /// The device string.
        device: String,
        /// DPDK's function.
        step: &'static str,
        /// Its reason.
        errno: Errno,
    },
}

/// Bytes of an Ethernet header.
const ETHERNET: u32 = 14;

impl PortSpec {
    /// Takes or makes the device, configures it and starts it. Every receive queue fills from `pool`.
    ///
    /// # Errors
    /// The device is not there, is taken, or cannot be what the spec says. A software device that was made is unmade.
    pub fn start(&self, _running: &Eal, pool: Mempool) -> Result<Started, PortError> {
        let device = Arc::new(self.claim()?);
        {
            let _alone = eal::control();
            self.configure(&device, pool)?;
        }
        let rx = (0..self.rx_queues).map(|queue| RxQueue::new(device.clone(), queue)).collect();
        let tx = (0..self.tx_queues).map(|queue| TxQueue::new(device.clone(), queue)).collect();
        Ok(Started { port: Port(device), rx, tx })
    }

    fn claim(&self) -> Result<Device, PortError> {
        let zero_byte = |_| PortError::Name(self.device.clone());
        let devargs = CString::new(self.device.as_str()).map_err(zero_byte)?;
        let name = self.device.split(',').next().unwrap_or_default();
        // DPDK takes a PCI address without its domain, and names the port with it.
        let domain = if name.matches(':').count() == 1 { "0000:" } else { "" };
        let name = CString::new(format!("{domain}{name}")).map_err(zero_byte)?;
        let mut owned = eal::control();
        let id = match port_of(&name) {
            Some(id) => id,
            None => {
                // SAFETY: parses a C string, which it copies. Unlike `--vdev`, it says when the driver failed.
                let probed = Errno::check(unsafe { dpdk_sys::rte_dev_probe(devargs.as_ptr()) });
                probed.map_err(|errno| PortError::Probe { device: self.device.clone(), errno })?;
                port_of(&name).ok_or_else(|| PortError::NoPort(self.device.clone()))?
            }
        };
        if owned.contains(&id) {
            return Err(PortError::Owned(self.device.clone()));
        }
        let info = port::info(id).map_err(|errno| self.refused("rte_eth_dev_info_get", errno))?;
        let kernel = of_kernel(&info).then(|| Interface::new(info.if_index)).transpose();
        let kernel = kernel.map_err(|source| PortError::Interface { device: self.device.clone(), source })?;
        owned.push(id);
        // A driver may call back late, even after the port closed: one byte per start, never freed.
        Ok(Device { id, kernel, refused: AtomicU64::new(0), wants_reset: Box::leak(Box::default()) })
    }

    fn configure(&self, device: &Device, pool: Mempool) -> Result<(), PortError> {
        let info = port::info(device.id).map_err(|errno| self.refused("rte_eth_dev_info_get", errno))?;
        self.within("receive", self.rx_queues, info.max_rx_queues)?;
        self.within("transmit", self.tx_queues, info.max_tx_queues)?;
        if driver(&info) == AF_PACKET && info.max_rx_queues > self.rx_queues {
            let (device, sockets) = (self.device.clone(), info.max_rx_queues);
            return Err(PortError::Unread { device, sockets, asked: self.rx_queues });
        }
        let needed = u32::from(MempoolSpec::headroom()) + ETHERNET + u32::from(self.mtu);
        if u32::from(pool.data_room()) < needed {
            return Err(PortError::Room { room: pool.data_room(), mtu: self.mtu, needed });
        }
        let mut conf = rte_eth_conf::default();
        conf.rxmode.mtu = self.mtu_for(device, &info)?.into();
        // SAFETY: returns a constant of the headers.
        let rss_types = info.flow_type_rss_offloads & unsafe { dpdk_sys::shim_rss_types() };
        if self.rx_queues > 1 && rss_types != 0 {
            conf.rxmode.mq_mode = dpdk_sys::RTE_ETH_MQ_RX_RSS;
            conf.rx_adv_conf.rss_conf.rss_hf = rss_types;
        }
        self.set_up(device, &conf, pool)
    }

    fn set_up(&self, device: &Device, conf: &rte_eth_conf, pool: Mempool) -> Result<(), PortError> {
        let (id, node) = (device.id, node_of(device.id));
        let step = |step, code| Errno::check(code).map(drop).map_err(|errno| self.refused(step, errno));
        // SAFETY: copies the configuration, and refuses a port that runs.
        let code = unsafe { dpdk_sys::rte_eth_dev_configure(id, self.rx_queues, self.tx_queues, conf) };
        step("rte_eth_dev_configure", code)?;
        if conf.rxmode.mtu != 0 {
            self.set_mtu(id)?;
        }
        let (mut rx, mut tx) = (self.rx_descriptors, self.tx_descriptors);
        // SAFETY: rounds two numbers in place.
        let code = unsafe { dpdk_sys::rte_eth_dev_adjust_nb_rx_tx_desc(id, &raw mut rx, &raw mut tx) };
        step("rte_eth_dev_adjust_nb_rx_tx_desc", code)?;
        for queue in 0..self.rx_queues {
            // SAFETY: the port is configured with this queue; null is the driver's default; pools live for ever.
            let code = unsafe {
                dpdk_sys::rte_eth_rx_queue_setup(id, queue, rx, node, std::ptr::null(), pool.as_ptr())
            };
            step("rte_eth_rx_queue_setup", code)?;
        }
        for queue in 0..self.tx_queues {
            // SAFETY: the port is configured with this queue; null is the driver's default.
            let code = unsafe { dpdk_sys::rte_eth_tx_queue_setup(id, queue, tx, node, std::ptr::null()) };
            step("rte_eth_tx_queue_setup", code)?;
        }
        let flag = std::ptr::from_ref(device.wants_reset).cast_mut().cast();
        // SAFETY: `note` takes what it is given here: an AtomicBool that lives for ever.
        let code = unsafe {
            dpdk_sys::rte_eth_dev_callback_register(id, dpdk_sys::RTE_ETH_EVENT_INTR_RESET, Some(note), flag)
        };
        step("rte_eth_dev_callback_register", code)?;
        // SAFETY: the port is configured, all its queues are set up.
        step("rte_eth_dev_start", unsafe { dpdk_sys::rte_eth_dev_start(id) })
    }

    /// The MTU to tell the driver; 0 says nothing.
    fn mtu_for(&self, device: &Device, info: &rte_eth_dev_info) -> Result<u16, PortError> {
        if let Some(kernel) = device.kernel.as_ref().filter(|_| driver(info) == AF_PACKET) {
            // The driver carries whatever fits its slots, but says 1518 and would be refused more.
            let failed =
                |source| PortError::InterfaceMtu { device: self.device.clone(), mtu: self.mtu, source };
            return kernel.raise_mtu(self.mtu).map(|()| 0).map_err(failed);
        }
        let most = match info.max_mtu {
            u16::MAX => u16::try_from(info.max_rx_pktlen.saturating_sub(ETHERNET + 4)).unwrap_or(u16::MAX),
            most => most,
        };
        if self.mtu > most {
            return Err(PortError::Mtu { device: self.device.clone(), mtu: self.mtu, most });
        }
        Ok(self.mtu)
    }

    fn set_mtu(&self, id: u16) -> Result<(), PortError> {
        // SAFETY: sets a number of a port that does not run.
        match Errno::check(unsafe { dpdk_sys::rte_eth_dev_set_mtu(id, self.mtu) }) {
            // The drivers of rings and captures have none to set.
            Ok(_) | Err(Errno(libc::ENOTSUP)) => Ok(()),
            Err(errno) => Err(self.refused("rte_eth_dev_set_mtu", errno)),
        }
    }

    fn within(&self, direction: &'static str, asked: u16, most: u16) -> Result<(), PortError> {
        if asked <= most {
            return Ok(());
        }
        Err(PortError::Queues { device: self.device.clone(), direction, asked, most })
    }

    fn refused(&self, step: &'static str, errno: Errno) -> PortError {
        PortError::Refused { device: self.device.clone(), step, errno }
    }
}

const AF_PACKET: &CStr = c"net_af_packet";

/// Whether the port is a socket on an interface that stays the kernel's.
fn of_kernel(info: &rte_eth_dev_info) -> bool {
    [AF_PACKET, c"net_af_xdp"].contains(&driver(info))
}

fn driver(info: &rte_eth_dev_info) -> &'static CStr {
    // SAFETY: a string constant of the driver, which is loaded as long as the process lives.
    unsafe { CStr::from_ptr(info.driver_name) }
}

fn port_of(name: &CStr) -> Option<u16> {
    let mut id = 0;
    // SAFETY: compares a C string, writes one number.
    let code = unsafe { dpdk_sys::rte_eth_dev_get_port_by_name(name.as_ptr(), &raw mut id) };
    (code == 0).then_some(id)
}

/// The port's NUMA node; DPDK's "any" (-1, unsigned) for software devices.
fn node_of(id: u16) -> u32 {
    // SAFETY: returns a number, for any id.
    unsafe { dpdk_sys::rte_eth_dev_socket_id(id) }.cast_unsigned()
}

/// What DPDK's interrupt thread calls when a driver gives its device up.
unsafe extern "C" fn note(_port: u16, _event: u32, wants_reset: *mut c_void, _unused: *mut c_void) -> c_int {
    // SAFETY: `set_up` registered this with a pointer to an AtomicBool that lives for ever.
    unsafe { wants_reset.cast::<AtomicBool>().as_ref() }.inspect(|flag| flag.store(true, Ordering::Relaxed));
    0
}
