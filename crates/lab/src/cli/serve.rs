//! `gwlb-lab serve`: the process that is the lab.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::process::ExitCode;
use std::sync::Arc;

use rustix::fs::{FlockOperation, flock};
use tokio::signal::unix::{SignalKind, signal};

use super::place::{Place, Running};
use super::{Done, Options};
use crate::ground::Ground;
use crate::gwlb::switches::Switches;
use crate::http;
use crate::lab::Lab;
use crate::plane::{Plane, Unplugged};
use crate::prerequisites::{self, Shape};
use crate::served::Served;
use crate::snapshot;
use crate::state::{Settings, State};

pub(super) fn serve(place: &Place, options: &Options) -> Done {
    check_rights(options)?;
    place.make()?;
    let lock = File::create(place.lock_file())?;
    flock(&lock, FlockOperation::NonBlockingLockExclusive)
        .map_err(|_| format!("another lab is up in {}", place.dir().display()))?;
    place.clear_running();
    if !options.no_network {
        super::conformance::clean(place)?;
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).map_err(|e| {
        format!("cannot listen on 127.0.0.1:{}: {e}; choose another with --port", options.port)
    })?;
    let state = begin(place, options)?;
    let plane: Box<dyn Plane> = if options.no_network {
        Box::new(Unplugged)
    } else {
        Box::new(Ground::new(&state.settings, place.dir())?)
    };
    super::env::write_files(place, &state.settings, listener.local_addr()?.port())?;
    let lab = Lab::raise(state, plane, Some(place.state_file()))?;
    let lab = Arc::new(Served::new(lab));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let port = listener.local_addr()?.port();
    let served = runtime.block_on(async {
        let mut term = signal(SignalKind::terminate())?;
        let mut int = signal(SignalKind::interrupt())?;
        place.set_running(&Running { pid: rustix::process::getpid().as_raw_nonzero().get(), port })?;
        say_ready()?;
        let stop = async {
            tokio::select! { _ = term.recv() => (), _ = int.recv() => () }
        };
        http::serve(listener, Arc::clone(&lab), stop).await
    });
    place.clear_running();
    let lowered = lab.lower();
    served?;
    lowered?;
    Ok(ExitCode::SUCCESS)
}

/// The state to begin with: the one that was kept, or a new one.
fn begin(place: &Place, options: &Options) -> Result<State, Box<dyn std::error::Error>> {
    if let Some(state) = snapshot::read(&place.state_file())? {
        return Ok(state);
    }
    let settings = Settings {
        region: options.region.clone(),
        zones: (b'a'..)
            .take(options.zones.into())
            .map(|z| format!("{}{}", options.region, char::from(z)))
            .collect(),
        seed: options.seed,
        time_scale: options.time_scale,
        strict: options.strict,
        prefix: options.prefix.clone(),
        appliance: options.appliance.clone(),
        rules: options.rules.clone(),
        config: options.config.clone(),
        switches: options.switches.iter().try_fold(Switches::default(), |all, one| all.with(one))?,
        ..Settings::default()
    };
    let (state, made) =
        prerequisites::build(settings, Shape { appliances: options.appliances }, http::now())?;
    place.set_prerequisites(&made)?;
    Ok(state)
}

/// Tells who waits that the lab is up, and lets go of its terminal.
fn say_ready() -> std::io::Result<()> {
    println!("ready");
    Ok(rustix::stdio::dup2_stdout(File::open("/dev/null")?)?)
}

/// Namespaces are the root user's.
pub(super) fn check_rights(options: &Options) -> Result<(), String> {
    if options.no_network || rustix::process::geteuid().is_root() {
        return Ok(());
    }
    Err("making network namespaces needs root: run with sudo, or with --no-network for the API alone".into())
}
