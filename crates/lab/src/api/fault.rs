use std::fmt::Display;

/// Which of the two APIs is spoken. They differ in how lists, answers and errors are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    /// `elbv2`, AWS Query, 2015-12-01.
    Elb,
    /// `ec2`, EC2 Query, 2016-11-15.
    Ec2,
}

/// A refusal as AWS would send it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The code that scripts look at.
    pub(crate) code: &'static str,
    /// The sentence that people read; carries the offending value.
    pub(crate) message: String,
    /// The HTTP status. Never 5xx: the CLI repeats those, and a repeat would be refused the same way.
    pub(crate) status: u16,
}

impl Fault {
    /// A refusal with status 400.
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), status: 400 }
    }

    /// A required parameter is not there.
    pub(crate) fn missing(service: Service, name: &str) -> Self {
        match service {
            Service::Elb => Self::new("ValidationError", format!("A value for '{name}' must be specified")),
            Service::Ec2 => {
                Self::new("MissingParameter", format!("The request must contain the parameter {name}"))
            }
        }
    }

    /// A parameter has a value it cannot have.
    pub(crate) fn invalid(service: Service, name: &str, value: impl Display, why: &str) -> Self {
        match service {
            Service::Elb => {
                Self::new("ValidationError", format!("The value '{value}' for '{name}' is not valid: {why}"))
            }
            Service::Ec2 => Self::new(
                "InvalidParameterValue",
                format!("Value ({value}) for parameter {} is invalid. {why}", lower_first(name)),
            ),
        }
    }

    /// A parameter that the lab does not honour, whether AWS knows it or not.
    pub(crate) fn unknown_parameter(service: Service, name: &str) -> Self {
        match service {
            Service::Elb => {
                Self::new("ValidationError", format!("The parameter '{name}' is not supported by this lab"))
            }
            Service::Ec2 => {
                Self::new("UnknownParameter", format!("The parameter {name} is not recognized by this lab"))
            }
        }
    }

    /// No resource has this id: `code` and a sentence of EC2's form.
    pub(crate) fn not_found(code: &'static str, kind: &str, id: impl Display) -> Self {
        Self::new(code, format!("The {kind} '{id}' does not exist"))
    }
}

/// EC2 names parameters in its messages with a small first letter.
fn lower_first(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map(|c| c.to_ascii_lowercase()).into_iter().chain(chars).collect()
}
