use super::fault::{Fault, Service};
use super::form::Form;
use super::scope::Caller;
use super::xml::Xml;
use crate::plane::Plane;
use crate::state::State;

/// One operation of an API.
pub(crate) struct Action {
    /// What `Action=` says.
    pub(crate) name: &'static str,
    /// The parameters it honours, list indexes written `N`; one that ends in `!` must be there. Any other is refused by name.
    pub(crate) parameters: &'static [&'static str],
    /// Reads the call, changes its state, writes its answer.
    pub(crate) run: fn(&mut Call<'_>) -> Result<(), Fault>,
}

/// A request under way. Its state is the plan: nobody else sees it until it is whole.
pub(crate) struct Call<'a> {
    /// What was asked.
    pub(crate) form: &'a Form,
    /// Who asks.
    pub(crate) caller: Caller,
    /// What will be, if all goes well.
    pub(crate) state: State,
    /// Milliseconds since 1970.
    pub(crate) now: u64,
    /// What carries packets.
    pub(crate) plane: &'a dyn Plane,
    /// The inside of the answer.
    pub(crate) out: Xml,
}

impl Action {
    /// Refuses parameters that this action does not honour, and a call without those it needs.
    ///
    /// # Errors
    /// Names the first offender.
    pub(crate) fn check(&self, form: &Form) -> Result<(), Fault> {
        let service = form.service();
        let general: &[&str] = match service {
            Service::Elb => &["Action", "Version"],
            Service::Ec2 => &["Action", "Version", "DryRun"],
        };
        for (shape, name, value) in form.shapes() {
            let honoured = |known: &&str| {
                let known = known.trim_end_matches('!');
                // The CLI sends an empty list as the bare name.
                known == shape || (value.is_empty() && known.starts_with(&format!("{shape}.")))
            };
            if !self.parameters.iter().chain(general).any(honoured) {
                return Err(Fault::unknown_parameter(service, name));
            }
        }
        for needed in self.parameters.iter().filter_map(|p| p.strip_suffix('!')) {
            let head = needed.split(".member").next().unwrap_or(needed);
            let head = head.split(".N").next().unwrap_or(head);
            if !form.has(head) {
                return Err(Fault::missing(service, head));
            }
        }
        Ok(())
    }
}
