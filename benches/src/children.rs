//! Child processes that end with their parent: a measurement that nobody waits for would spin on its CPU for ever.

use std::os::unix::process::CommandExt;
use std::process::Command;

/// Have the kernel end the child when the thread that starts it ends, however that comes about.
pub(crate) fn bound(command: &mut Command) -> &mut Command {
    // SAFETY: between fork and exec the child makes one system call with two numbers, which allocates nothing.
    unsafe {
        command.pre_exec(|| match libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        })
    }
}
