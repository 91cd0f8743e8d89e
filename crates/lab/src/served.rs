//! One lab, asked by many at once: commands take turns, and who only looks does not wait for one that is under way.

use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use hyper::body::Bytes;

use crate::api::{Answer, Request};
use crate::lab::Lab;
use crate::plane::{Disturbance, PlaneError};
use crate::status;

/// How old a status may be that is told while a command has the lab: the page looks once a second, a command that moves
/// namespaces takes as long.
const STILL_TRUE: Duration = Duration::from_secs(2);

/// A lab behind a lock, and what was last told of it.
pub struct Served {
    lab: Mutex<Lab>,
    told: Mutex<Option<(Instant, Bytes)>>,
}

impl Served {
    /// Serves `lab`.
    #[must_use]
    pub const fn new(lab: Lab) -> Self {
        Self { lab: Mutex::new(lab), told: Mutex::new(None) }
    }

    /// Takes one API request, after those before it.
    pub fn submit(&self, request: &Request<'_>) -> Answer {
        whole(&self.lab).submit(request)
    }

    /// Lets something go wrong.
    ///
    /// # Errors
    /// When that is not possible.
    pub fn disturb(&self, how: &Disturbance) -> Result<(), PlaneError> {
        whole(&self.lab).disturb(how)
    }

    /// Does what time asks for; `now` in milliseconds since 1970.
    pub fn settle(&self, now: u64) {
        whole(&self.lab).settle(now);
    }

    /// The lab as JSON (see [`status::tell`]). While a command is under way its outcome is not known, so what was told
    /// shortly before it is told again.
    pub fn status(&self) -> Bytes {
        let lab = match self.lab.try_lock() {
            Ok(lab) => lab,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                let told = whole(&self.told).clone();
                if let Some((_, text)) = told.filter(|(at, _)| at.elapsed() < STILL_TRUE) {
                    return text;
                }
                whole(&self.lab)
            }
        };
        let text = Bytes::from(status::tell(&lab).to_string());
        *whole(&self.told) = Some((Instant::now(), text.clone()));
        text
    }

    /// Takes everything down.
    ///
    /// # Errors
    /// When the network cannot be taken down.
    pub fn lower(&self) -> Result<(), PlaneError> {
        whole(&self.lab).lower()
    }
}

/// What a lock guards, even if a thread died while it had it: states are replaced whole or not at all.
fn whole<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::thread;

    use serde_json::Value;

    use super::*;
    use crate::api::access_key;
    use crate::gwlb::health::Health;
    use crate::plane::Plane;
    use crate::state::{Id, Settings, State};

    /// A network whose changes wait until they are let go.
    struct Slow {
        begun: Sender<()>,
        go: Receiver<()>,
    }

    impl Plane for Slow {
        fn apply(&mut self, old: &State, new: &State) -> Result<(), PlaneError> {
            if old != new {
                self.begun.send(()).unwrap();
                self.go.recv().unwrap();
            }
            Ok(())
        }

        fn health(&self, _: &Id, _: &str) -> Option<Health> {
            None
        }

        fn report(&self) -> Value {
            Value::Null
        }
    }

    #[test]
    fn who_looks_does_not_wait_for_a_command_under_way() {
        let ((begun, told_begun), (let_go, go)) = (channel(), channel());
        let state = State::new(Settings::default());
        let served = Served::new(Lab::raise(state, Box::new(Slow { begun, go }), None).unwrap());
        let before = served.status();
        let signed = format!(
            "AWS4-HMAC-SHA256 Credential={}/0/us-east-2/ec2/aws4_request",
            access_key(123_456_789_012)
        );
        thread::scope(|scope| {
            let command = scope.spawn(|| {
                let body = b"Version=2016-11-15&Action=CreateVpc&CidrBlock=10.0.0.0/16";
                served.submit(&Request { authorization: Some(&signed), body, now: 0, id: "r" }).status
            });
            told_begun.recv().unwrap();
            assert_eq!(served.status(), before);
            let_go.send(()).unwrap();
            assert_eq!(command.join().unwrap(), 200);
        });
        assert_ne!(served.status(), before);
    }
}
