//! The two APIs that the tutorial's commands speak: `elbv2` (AWS Query, 2015-12-01) and `ec2` (EC2 Query, 2016-11-15).
//!
//! ```text
//!  body ─▶ form ─▶ scope ─▶ action table ─▶ plan (a changed copy of the state) ─▶ Lab commits ─▶ XML
//! ```
//! An action is a row: its name, the parameters it honours, the function that changes the plan. A parameter that no row
//! names is refused by name, so nothing a caller says is ever silently dropped. There is no XML parser, because forms come
//! in and XML only goes out; and no generated code, because the models of all EC2 are a thousand times what a tutorial needs.

mod action;
mod ec2;
mod elb;
mod fault;
mod filter;
mod form;
mod page;
mod scope;
mod tags;
mod time;
mod xml;

use action::{Action, Call};
use fault::{Fault, Service};
use form::Form;
use xml::Xml;

use crate::plane::Plane;
use crate::state::State;

pub use ec2::image_of;
pub use scope::access_key;

/// An HTTP answer to an API request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// An XML document.
    pub body: String,
}

/// An API request, as it stands in HTTP.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The `Authorization` header.
    pub authorization: Option<&'a str>,
    /// The form.
    pub body: &'a [u8],
    /// When it came, milliseconds since 1970.
    pub now: u64,
    /// What the answer is to be known by.
    pub id: &'a str,
}

/// A request that was understood: the state it asks for, and the answer if that can be had.
#[derive(Debug)]
pub struct Plan {
    /// What would be.
    pub state: State,
    /// What is said then.
    pub answer: Answer,
    refusal: Refusal,
}

impl Plan {
    /// The answer when the state cannot be made real: nothing has changed, and `why` says what stood in the way.
    #[must_use]
    pub fn refused(&self, why: &str) -> Answer {
        let fault = Fault::new(
            "InternalError",
            format!("The network refused the change, nothing was changed: {why}"),
        );
        self.refusal.write(&fault)
    }
}

#[derive(Debug)]
struct Refusal {
    service: Service,
    id: String,
}

/// Reads a request against `state` and plans it. Changes nothing.
///
/// # Errors
/// The answer that says why not.
pub fn plan(request: &Request<'_>, state: &State, plane: &dyn Plane) -> Result<Plan, Answer> {
    let mut refusal = Refusal { service: Service::Ec2, id: request.id.to_owned() };
    let form = match Form::parse(Service::Ec2, request.body) {
        Ok(form) => form,
        Err(fault) => return Err(refusal.write(&fault)),
    };
    let form = match form.text("Version") {
        Some("2015-12-01") => {
            refusal.service = Service::Elb;
            form.of(Service::Elb)
        }
        _ => form,
    };
    match planned(request, state, plane, &form) {
        Ok((state, body)) => Ok(Plan { state, answer: Answer { status: 200, body }, refusal }),
        Err(fault) => Err(refusal.write(&fault)),
    }
}

fn planned(
    request: &Request<'_>,
    state: &State,
    plane: &dyn Plane,
    form: &Form,
) -> Result<(State, String), Fault> {
    let service = form.service();
    let settings = &state.settings;
    let caller = scope::caller(request.authorization, service, &settings.region, &settings.account)?;
    let name = form.text("Action").ok_or_else(|| Fault::missing(service, "Action"))?;
    let action = action(form, name)?;
    action.check(form)?;
    let mut call = Call { form, caller, state: state.clone(), now: request.now, plane, out: Xml::default() };
    (action.run)(&mut call)?;
    if service == Service::Ec2 && form.flag("DryRun")? == Some(true) {
        let message = "Request would have succeeded, but DryRun flag is set.".into();
        return Err(Fault { code: "DryRunOperation", message, status: 412 });
    }
    let body = match service {
        Service::Elb => elb::answer(action.name, request.id, &call.out),
        Service::Ec2 => ec2::answer(action.name, request.id, &call.out),
    };
    Ok((call.state, body))
}

fn action(form: &Form, name: &str) -> Result<&'static Action, Fault> {
    let (tables, version): (&[&[Action]], &str) = match form.service() {
        Service::Elb => (elb::ACTIONS, "2015-12-01"),
        Service::Ec2 => (ec2::ACTIONS, "2016-11-15"),
    };
    if form.text("Version") != Some(version) {
        let given = form.text("Version").unwrap_or_default();
        return Err(Fault::new(
            "InvalidAction",
            format!("The version '{given}' of action '{name}' is not known to this lab"),
        ));
    }
    tables
        .iter()
        .flat_map(|table| table.iter())
        .find(|a| a.name == name)
        .ok_or_else(|| Fault::new("InvalidAction", format!("The action {name} is not valid for this lab")))
}

impl Refusal {
    fn write(&self, fault: &Fault) -> Answer {
        let error = |x: &mut Xml| {
            if self.service == Service::Elb {
                x.text("Type", "Sender");
            }
            x.text("Code", fault.code);
            x.text("Message", &fault.message);
        };
        let body = match self.service {
            Service::Elb => Xml::document("ErrorResponse", Some(elb::NAMESPACE), |x| {
                x.within("Error", error);
                x.text("RequestId", &self.id);
            }),
            Service::Ec2 => Xml::document("Response", None, |x| {
                x.within("Errors", |x| x.within("Error", error));
                x.text("RequestID", &self.id);
            }),
        };
        Answer { status: fault.status, body }
    }
}
