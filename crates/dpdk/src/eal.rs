//! DPDK's environment: memory, buses, drivers. One per process, for as long as the process lives.

use std::ffi::{CStr, CString, NulError, c_char};
use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{io, mem};

use crate::Errno;

/// Where mbufs live.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Memory {
    /// Huge pages without a file behind them: nothing to clash with, nothing left after `kill -9`.
    #[default]
    HugePages,
    /// Ordinary pages: works without privileges and without huge pages, cannot grow, 10 % to 25 % slower.
    Ordinary,
}

/// What the devices' addresses are. Left to DPDK unless said; vfio without an IOMMU needs `Physical`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Iova {
    /// Physical addresses.
    Physical,
    /// The process's own, translated by an IOMMU or used by a software driver.
    Virtual,
}

/// From which severity on DPDK writes to stderr.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum LogLevel {
    /// Only what failed.
    Error,
    /// And what is suspicious.
    #[default]
    Warning,
    /// And what is worth a line.
    Notice,
    /// And what it does.
    Info,
    /// Everything.
    Debug,
}

/// What DPDK is started with.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct EalArgs {
    /// Where mbufs live.
    pub memory: Memory,
    /// Megabytes reserved at start. With [`Memory::Ordinary`] all pools must fit, since it cannot grow.
    pub memory_mb: u32,
    /// PCI devices that DPDK may take, each an address with optional arguments (`0000:00:06.0,llq_policy=1`). With
    /// none the bus is not looked at, so DPDK never takes a device that nobody named. Software devices need no entry:
    /// [`crate::PortSpec::start`] makes them.
    pub pci: Vec<String>,
    /// Address kind, if DPDK should not choose.
    pub iova: Option<Iova>,
    /// Severity from which DPDK logs.
    pub log_level: LogLevel,
}

/// The proof that DPDK runs. Pools are made and ports started on the thread that holds it; it cannot leave that thread,
/// because drivers' timers run where their port was started, in [`Eal::tend`].
///
/// Nothing ends DPDK but the process: `rte_eal_cleanup` would unmap memory that mbufs still name.
#[derive(Debug)]
pub struct Eal {
    not_send: PhantomData<*const ()>,
}

/// Why DPDK did not start.
#[derive(Debug, thiserror::Error)]
pub enum EalError {
    /// A process has one environment, for good.
    #[error("DPDK was already started in this process")]
    Twice,
    /// An argument holds a byte that C takes for its end.
    #[error("DPDK argument {0:?} holds a zero byte")]
    ZeroByte(String),
    /// The thread's set of CPUs could not be read or set.
    #[error("CPU affinity: {0}")]
    Affinity(#[source] io::Error),
    /// `rte_eal_init` refused; its own words are on stderr.
    #[error("rte_eal_init({arguments}): {errno}")]
    Refused {
        /// The arguments, as given.
        arguments: String,
        /// Its reason.
        errno: Errno,
    },
}

static STARTED: AtomicBool = AtomicBool::new(false);

impl Eal {
    /// Starts DPDK. The calling thread keeps its CPU affinity, although DPDK would pin it.
    ///
    /// # Errors
    /// A second call in the process, even after a failure; arguments or memory that DPDK refuses.
    pub fn init(args: &EalArgs) -> Result<Self, EalError> {
        let cpus = affinity().map_err(EalError::Affinity)?;
        let words = words(args, &cpus);
        let arguments = words[1..].join(" ");
        let argv = words.into_iter().map(CString::new).collect::<Result<Vec<_>, NulError>>();
        let argv =
            argv.map_err(|error| EalError::ZeroByte(String::from_utf8_lossy(&error.into_vec()).into()))?;
        if STARTED.swap(true, Ordering::AcqRel) {
            return Err(EalError::Twice);
        }
        let started = start(argv);
        set_affinity(&cpus).map_err(EalError::Affinity)?;
        started.map_err(|errno| EalError::Refused { arguments, errno })?;
        Ok(Self { not_send: PhantomData })
    }

    /// Runs what drivers have due: ENA's watchdog wants it about once a second. Returns at once if nothing is due.
    pub fn tend(&self) {
        // SAFETY: this thread started DPDK (`Eal` is not `Send`), so it has an lcore id, as the timers demand. Without
        // a driver that has timers it returns an error that says just that.
        unsafe { dpdk_sys::rte_timer_manage() };
    }
}

/// The release of the DPDK that is linked, e.g. `DPDK 22.11.11`. Works without an [`Eal`].
#[must_use]
pub fn version() -> &'static str {
    // SAFETY: returns a string that lives as long as the library.
    let version = unsafe { CStr::from_ptr(dpdk_sys::rte_version()) };
    version.to_str().unwrap_or("DPDK of unknown version")
}

/// The ids of the ports that have an owner. DPDK's control calls are not meant for two threads at once, and ports are
/// asked and closed on whichever thread holds them: each such call is made with this lock held.
pub(crate) fn control() -> MutexGuard<'static, Vec<u16>> {
    static OWNED_PORTS: Mutex<Vec<u16>> = Mutex::new(Vec::new());
    OWNED_PORTS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn words(args: &EalArgs, cpus: &libc::cpu_set_t) -> Vec<String> {
    let mut words = vec!["sluice".into(), "--no-telemetry".into()];
    // One lcore, DPDK's own, that may run wherever the caller may. Data threads register themselves.
    words.push(format!("--lcores=0@({})", list(cpus)));
    match args.memory {
        Memory::HugePages => words.push("--in-memory".into()),
        // `--in-memory` and `--no-huge` exclude each other (22.11: "legacy-mem is not compatible with in-memory").
        Memory::Ordinary => words.extend(["--no-huge".into(), "--no-shconf".into()]),
    }
    words.extend(["-m".into(), args.memory_mb.to_string()]);
    match (args.iova, args.memory) {
        (Some(Iova::Physical), _) => words.push("--iova-mode=pa".into()),
        (Some(Iova::Virtual), _) | (None, Memory::Ordinary) => words.push("--iova-mode=va".into()),
        (None, Memory::HugePages) => {}
    }
    if args.pci.is_empty() {
        words.push("--no-pci".into());
    }
    args.pci.iter().for_each(|device| words.extend(["-a".into(), device.clone()]));
    let level = match args.log_level {
        LogLevel::Error => 4,
        LogLevel::Warning => 5,
        LogLevel::Notice => 6,
        LogLevel::Info => 7,
        LogLevel::Debug => 8,
    };
    words.push(format!("--log-level={level}"));
    words
}

fn list(cpus: &libc::cpu_set_t) -> String {
    let in_set = |cpu: &usize| {
        // SAFETY: reads one bit of the set; `cpu` is below its size.
        unsafe { libc::CPU_ISSET(*cpu, cpus) }
    };
    let names: Vec<_> =
        (0..8 * size_of::<libc::cpu_set_t>()).filter(in_set).map(|cpu| cpu.to_string()).collect();
    names.join(",")
}

fn start(argv: Vec<CString>) -> Result<(), Errno> {
    let mut pointers: Vec<*mut c_char> = argv.iter().map(|word| word.as_ptr().cast_mut()).collect();
    let count = i32::try_from(pointers.len()).map_err(|_| Errno(libc::E2BIG))?;
    pointers.push(std::ptr::null_mut());
    // SAFETY: `pointers` is an argv of `count` strings and a null, as for main(); EAL may reorder it.
    let code = unsafe { dpdk_sys::rte_eal_init(count, pointers.as_mut_ptr()) };
    let errno = Errno::last();
    // EAL keeps pointers into its arguments.
    mem::forget((argv, pointers));
    if code < 0 { Err(errno) } else { Ok(()) }
}

fn affinity() -> io::Result<libc::cpu_set_t> {
    // SAFETY: a set of bits; all zeros is the empty set.
    let mut cpus: libc::cpu_set_t = unsafe { mem::zeroed() };
    // SAFETY: 0 is the calling thread, and the size is that of the set.
    let code = unsafe { libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut cpus) };
    if code == 0 { Ok(cpus) } else { Err(io::Error::last_os_error()) }
}

fn set_affinity(cpus: &libc::cpu_set_t) -> io::Result<()> {
    // SAFETY: 0 is the calling thread, and the size is that of the set.
    let code = unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), cpus) };
    if code == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
