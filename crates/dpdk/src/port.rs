//! A port that runs: what may be asked of it beside its queues.

use std::ffi::CStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use dpdk_sys::{rte_eth_dev_info, rte_eth_stats, rte_eth_xstat, rte_eth_xstat_name};

use crate::interface::Interface;
use crate::{Errno, eal};

/// A handle of a running port, for any thread. The last of a port's handles, queues included, stops it.
#[derive(Clone, Debug)]
pub struct Port(pub(crate) Arc<Device>);

/// Whether the port's other end is there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Link {
    /// Frames can pass.
    pub up: bool,
    /// Megabits per second; `None` if the driver does not know, as ENA's.
    pub mbps: Option<u32>,
}

/// What a port counted since it started.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PortStats {
    /// Frames received.
    pub rx_frames: u64,
    /// Bytes received.
    pub rx_bytes: u64,
    /// Frames the device dropped because nobody fetched them.
    pub rx_missed: u64,
    /// Frames received in error.
    pub rx_errors: u64,
    /// Times a receive queue found no mbuf.
    pub rx_no_mbuf: u64,
    /// Frames in several segments, longer than the MTU, that were freed and not handed on; among `rx_frames`.
    pub rx_refused: u64,
    /// Frames sent.
    pub tx_frames: u64,
    /// Bytes sent.
    pub tx_bytes: u64,
    /// Frames that failed to be sent.
    pub tx_errors: u64,
}

/// One of a driver's own counters.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Xstat {
    /// Its name in the driver, e.g. `pps_allowance_exceeded`.
    pub name: String,
    /// Its value since the device started; some drivers keep gauges among them.
    pub value: u64,
}

/// What all handles share; dropping it closes the port.
#[derive(Debug)]
pub(crate) struct Device {
    pub(crate) id: u16,
    /// The drivers of sockets say that the link is up, always.
    pub(crate) kernel: Option<Interface>,
    /// Written when a queue meets a frame in several segments: rarely, so the queues share it.
    pub(crate) refused: AtomicU64,
    pub(crate) wants_reset: &'static AtomicBool,
}

impl Port {
    /// The driver's name, e.g. `net_ena`.
    ///
    /// # Errors
    /// The device is gone.
    pub fn driver(&self) -> Result<String, Errno> {
        let _alone = eal::control();
        let info = info(self.0.id)?;
        // SAFETY: a string constant of the driver, which is loaded as long as the process lives.
        Ok(unsafe { CStr::from_ptr(info.driver_name) }.to_string_lossy().into_owned())
    }

    /// The port's MAC address.
    ///
    /// # Errors
    /// The device is gone.
    pub fn mac(&self) -> Result<[u8; 6], Errno> {
        let _alone = eal::control();
        let mut mac = dpdk_sys::rte_ether_addr::default();
        // SAFETY: writes one address.
        Errno::check(unsafe { dpdk_sys::rte_eth_macaddr_get(self.0.id, &raw mut mac) })?;
        Ok(mac.addr_bytes)
    }

    /// The state of the link; does not wait.
    ///
    /// # Errors
    /// The device is gone.
    pub fn link(&self) -> Result<Link, Errno> {
        let _alone = eal::control();
        let mut mbps = u32::MAX;
        // SAFETY: writes one number.
        let up = Errno::check(unsafe { dpdk_sys::shim_link(self.0.id, &raw mut mbps) })? == 1;
        let carrier = self.0.kernel.as_ref().is_none_or(|kernel| kernel.is_running().unwrap_or(false));
        Ok(Link { up: up && carrier, mbps: (mbps != u32::MAX && mbps != 0).then_some(mbps) })
    }

    /// Whether the driver gave its device up (ENA's watchdog, a firmware error): nothing passes any more, and only a
    /// new start of the port helps. Never taken back.
    #[must_use]
    pub fn wants_reset(&self) -> bool {
        self.0.wants_reset.load(Ordering::Relaxed)
    }

    /// What the port counted.
    ///
    /// # Errors
    /// The device is gone.
    pub fn stats(&self) -> Result<PortStats, Errno> {
        let _alone = eal::control();
        let mut stats = rte_eth_stats::default();
        // SAFETY: writes one `rte_eth_stats`.
        Errno::check(unsafe { dpdk_sys::rte_eth_stats_get(self.0.id, &raw mut stats) })?;
        Ok(PortStats {
            rx_frames: stats.ipackets,
            rx_bytes: stats.ibytes,
            rx_missed: stats.imissed,
            rx_errors: stats.ierrors,
            rx_no_mbuf: stats.rx_nombuf,
            rx_refused: self.0.refused.load(Ordering::Relaxed),
            tx_frames: stats.opackets,
            tx_bytes: stats.obytes,
            tx_errors: stats.oerrors,
        })
    }

    /// The driver's own counters, by name. Asks the device: once a second, not more.
    ///
    /// # Errors
    /// The device does not answer, or is gone.
    pub fn xstats(&self) -> Result<Vec<Xstat>, Errno> {
        let _alone = eal::control();
        let id = self.0.id;
        // SAFETY: with no array it only counts.
        let count = Errno::check(unsafe { dpdk_sys::rte_eth_xstats_get_names(id, std::ptr::null_mut(), 0) })?;
        let mut names = vec![rte_eth_xstat_name::default(); count.unsigned_abs() as usize];
        // SAFETY: writes at most `count` names.
        let named =
            unsafe { dpdk_sys::rte_eth_xstats_get_names(id, names.as_mut_ptr(), count.unsigned_abs()) };
        let mut values = vec![rte_eth_xstat::default(); names.len()];
        // SAFETY: writes at most `count` values.
        let valued = unsafe { dpdk_sys::rte_eth_xstats_get(id, values.as_mut_ptr(), count.unsigned_abs()) };
        values.truncate(Errno::check(valued)?.min(Errno::check(named)?).unsigned_abs() as usize);
        let xstat = |value: rte_eth_xstat| {
            let name = names.get(usize::try_from(value.id).ok()?)?;
            Some(Xstat { name: text(&name.name), value: value.value })
        };
        Ok(values.into_iter().filter_map(xstat).collect())
    }
}

impl Drop for Device {
    /// Stops and closes the port and lets its device go, so that it can be started anew. What fails here means that
    /// the device went by itself.
    fn drop(&mut self) {
        let mut owned = eal::control();
        let bus_device = info(self.id).map(|info| info.device);
        // SAFETY: no queue of this port has a handle any more; stopping what does not run is harmless.
        unsafe { dpdk_sys::rte_eth_dev_stop(self.id) };
        // SAFETY: as above.
        unsafe { dpdk_sys::rte_eth_dev_close(self.id) };
        if let Ok(bus_device) = bus_device {
            // SAFETY: the bus still has the device: only this removes it.
            unsafe { dpdk_sys::rte_dev_remove(bus_device) };
        }
        owned.retain(|id| *id != self.id);
    }
}

/// What the driver says of the port. Call it with the control lock held.
pub(crate) fn info(id: u16) -> Result<rte_eth_dev_info, Errno> {
    let mut info = rte_eth_dev_info::default();
    // SAFETY: writes one `rte_eth_dev_info`.
    Errno::check(unsafe { dpdk_sys::rte_eth_dev_info_get(id, &raw mut info) })?;
    Ok(info)
}

/// The characters before the first zero, or all.
fn text(name: &[std::ffi::c_char]) -> String {
    let bytes: Vec<u8> = name.iter().map(|byte| byte.cast_unsigned()).chain([0]).collect();
    CStr::from_bytes_until_nul(&bytes).map(|text| text.to_string_lossy().into_owned()).unwrap_or_default()
}
