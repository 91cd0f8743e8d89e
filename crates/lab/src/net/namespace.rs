//! Working inside a network namespace without moving the process there.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Where `ip netns` keeps namespaces by name.
const DIRECTORY: &str = "/run/netns";

/// Why work in a namespace could not be done.
#[derive(Debug, thiserror::Error)]
pub enum NamespaceError {
    /// No such namespace, or no right to enter it.
    #[error("cannot enter the network namespace {0}: {1}")]
    Enter(String, io::Error),
    /// The thread that worked there ended by a panic.
    #[error("work in the network namespace {0} broke off")]
    Broken(String),
}

/// Do `work` in a short-lived thread of its own inside the namespace, and wait for it.
///
/// What it opens (sockets, TUN devices) belongs to that namespace and may be used from any thread; what it starts
/// (processes, threads) stays inside.
///
/// # Errors
/// [`NamespaceError`].
pub fn within<T: Send>(namespace: &str, work: impl FnOnce() -> T + Send) -> Result<T, NamespaceError> {
    thread::scope(|scope| {
        let worker = scope.spawn(|| enter(namespace).map(|()| work()));
        worker.join().unwrap_or_else(|_| Err(NamespaceError::Broken(namespace.to_owned())))
    })
}

/// Move the calling thread, which should be one of its own, into the namespace.
///
/// # Errors
/// [`NamespaceError::Enter`].
pub fn enter(namespace: &str) -> Result<(), NamespaceError> {
    let failed = |error| NamespaceError::Enter(namespace.to_owned(), error);
    let file = File::open(PathBuf::from(DIRECTORY).join(namespace)).map_err(failed)?;
    move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)).map_err(|e| failed(e.into()))
}

/// The names of all namespaces that begin with `prefix` and a hyphen.
///
/// # Errors
/// When the directory cannot be read; that it does not exist is no error.
pub fn of_prefix(prefix: &str) -> io::Result<Vec<String>> {
    let entries = match std::fs::read_dir(DIRECTORY) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let start = format!("{prefix}-");
    let mut names = Vec::new();
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.starts_with(&start) {
            names.push(name);
        }
    }
    Ok(names)
}
