use crate::api::action::Call;
use crate::api::fault::Fault;
use crate::state::{Id, Listener, LoadBalancer, TargetGroup};

impl Call<'_> {
    /// An ARN of the caller's account in the lab's region.
    pub(super) fn arn(&self, resource: &str) -> Id {
        Id::from(format!(
            "arn:aws:elasticloadbalancing:{}:{}:{resource}",
            self.state.settings.region, self.caller.account
        ))
    }

    /// The load balancer that `LoadBalancerArn` names.
    pub(super) fn load_balancer(&self) -> Result<LoadBalancer, Fault> {
        let arn = self.load_balancer_arn()?;
        self.state.load_balancers.get(&arn).cloned().ok_or_else(no_load_balancer)
    }

    /// What stands in `LoadBalancerArn`.
    pub(super) fn load_balancer_arn(&self) -> Result<Id, Fault> {
        shaped(self.form.required("LoadBalancerArn")?, "loadbalancer/gwy/", 4, "load balancer")
    }

    /// The target group that `TargetGroupArn` names.
    pub(super) fn target_group(&self) -> Result<TargetGroup, Fault> {
        let arn = self.target_group_arn(self.form.required("TargetGroupArn")?)?;
        self.state.target_groups.get(&arn).cloned().ok_or_else(no_target_group)
    }

    /// `text` if it has the shape of a target group's ARN.
    pub(super) fn target_group_arn(&self, text: &str) -> Result<Id, Fault> {
        shaped(text, "targetgroup/", 3, "target group")
    }

    /// The listener that `ListenerArn` names.
    pub(super) fn listener(&self) -> Result<Listener, Fault> {
        let arn = shaped(self.form.required("ListenerArn")?, "listener/gwy/", 5, "listener")?;
        self.state.listeners.get(&arn).cloned().ok_or_else(no_listener)
    }
}

fn shaped(text: &str, start: &str, parts: usize, kind: &str) -> Result<Id, Fault> {
    let resource = text.strip_prefix("arn:aws:elasticloadbalancing:").and_then(|t| t.splitn(3, ':').nth(2));
    if resource.is_some_and(|r| r.starts_with(start) && r.split('/').count() == parts) {
        return Ok(Id::from(text));
    }
    Err(Fault::new("ValidationError", format!("'{text}' is not a valid {kind} ARN")))
}

pub(super) fn no_load_balancer() -> Fault {
    Fault::new("LoadBalancerNotFound", "One or more load balancers not found")
}

pub(super) fn no_target_group() -> Fault {
    Fault::new("TargetGroupNotFound", "One or more target groups not found")
}

pub(super) fn no_listener() -> Fault {
    Fault::new("ListenerNotFound", "One or more listeners not found")
}

/// Refuses a name that a load balancer or target group cannot have: 1–32 letters, digits and inner hyphens.
pub(super) fn check_name(name: &str, kind: &str) -> Result<(), Fault> {
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let edges = name.starts_with('-') || name.ends_with('-');
    if name.len() > 32 {
        return Err(Fault::new(
            "ValidationError",
            format!("The {kind} name '{name}' cannot be longer than '32' characters"),
        ));
    }
    if !plain || edges {
        let why = "can only contain letters, digits and hyphens, and cannot begin or end with a hyphen";
        return Err(Fault::new("ValidationError", format!("The {kind} name '{name}' {why}")));
    }
    Ok(())
}
