//! Judging packets that carry packets.
//!
//! ```text
//! packet of a tunnel ─▶ what it carries (a flow of its own, and so on, to a bound) ─▶ the packet itself ─▶ verdict
//! ```
//! What is inside is judged first: if that is not to pass, nothing is, and who is decided about already is asked no more.
//! Nothing is taken out of its tunnel: the verdict is the outermost packet's.

use flow::{FlowKey, Hint, Moment};
use policy::Outcome;
use wire::{Carried, Inner, Transport};

use super::{Inspector, inner};
use crate::examiner::Seen;
use crate::{About, DropReason, Verdict};

/// Tunnels within each other that are looked into; more are no network's.
pub(super) const LAYERS_MAX: usize = 4;

impl Inspector {
    /// The verdict of a packet of a tunnel, whose flow is tracked and not decided. `layer` counts the tunnels that it is in.
    #[cold]
    pub(super) fn judge_carrier(
        &mut self,
        now: Moment,
        (about, frame): (&About, &[u8]),
        layer: usize,
    ) -> Verdict {
        let carried = match inner(about, frame).map(|inner| inner.carried()) {
            Ok(Some(Ok(carried))) if layer < LAYERS_MAX => self.about_carried(about, &carried),
            Ok(None) => None,
            Ok(Some(_)) => {
                self.counts.carried_unread += 1;
                None
            }
            Err(malformed) => return malformed.into(),
        };
        let Some(carried) = carried else { return self.judge_itself(now, (about, frame), layer) };
        self.counts.carried += 1;
        let was_denied = self.is_denied(&carried, now);
        let inside = self.judge_one(now, Hint::default(), &carried, frame, layer + 1);
        if was_denied {
            return inside;
        }
        match (inside, self.judge_itself(now, (about, frame), layer)) {
            (Verdict::Forward, itself) => itself,
            (inside, _) => inside,
        }
    }

    /// What is known of a packet inside another; the frame is the same.
    fn about_carried(&mut self, outside: &About, carried: &Carried<'_>) -> Option<About> {
        let Carried { at, inner } = carried;
        let key_of = if inner.fragment.is_some() { FlowKey::of_fragments } else { FlowKey::new };
        let (key, direction) = key_of(outside.key.endpoint(), &inner.tuple);
        Some(About {
            key,
            hash: self.flows.hash(&key),
            mark: outside.mark,
            direction,
            tcp_flags: tcp_flags(inner),
            inner_len: u16::try_from(inner.packet.len()).unwrap_or(u16::MAX),
            inner_at: u16::try_from(usize::from(outside.inner_at) + at).ok()?,
        })
    }

    /// Whether it was decided before that packets like this one do not pass.
    fn is_denied(&self, about: &About, now: Moment) -> bool {
        let known = self.flows.account(&about.key, now);
        let epoch = self.examiner.epoch();
        known.is_some_and(|known| known.memo.outcome_in(epoch, about.direction) == Some(Outcome::Drop))
    }

    /// The verdict of a tunnel's packet by its own headers and payload.
    fn judge_itself(&mut self, now: Moment, (about, frame): (&About, &[u8]), layer: usize) -> Verdict {
        let Self { flows, detector, examiner, mode, packets, outbox, counts, .. } = self;
        let Some((judged, course)) = flows.again(&about.key) else { return Verdict::Forward };
        let seen = Seen { now, packet: *packets, about, frame, course, mode: *mode, layer };
        match examiner.examine(detector, &seen, judged, (outbox, counts)) {
            (_, Some(to)) if layer == 0 => self.reject((now, about, frame), to),
            // Whoever sends inside a tunnel cannot be answered outside of it.
            (_, Some(_)) => DropReason::Policy.into(),
            (verdict, None) => verdict,
        }
    }
}

fn tcp_flags(inner: &Inner<'_>) -> u8 {
    match inner.transport {
        Transport::Tcp(tcp) => tcp.flags.0,
        _ => 0,
    }
}
