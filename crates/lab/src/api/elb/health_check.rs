use crate::api::fault::Fault;
use crate::api::form::Form;
use crate::api::xml::Xml;
use crate::state::{HealthCheck, HealthProtocol};

/// The port that a target's packets go to, whatever it is.
const TRAFFIC_PORT: &str = "traffic-port";

/// `old` with what the request says about health checks (ranges: `CreateTargetGroup`, API reference).
pub(super) fn read(form: &Form, old: &HealthCheck) -> Result<HealthCheck, Fault> {
    let mut check = old.clone();
    if let Some(protocol) = form.word("HealthCheckProtocol", &["TCP", "HTTP", "HTTPS"])? {
        check.protocol = match protocol {
            "HTTP" => HealthProtocol::Http,
            "HTTPS" => HealthProtocol::Https,
            _ => HealthProtocol::Tcp,
        };
    }
    if form.flag("HealthCheckEnabled")? == Some(false) {
        let why = "Health checks must be enabled for target groups with target type 'instance' or 'ip'";
        return Err(Fault::new("InvalidConfigurationRequest", why));
    }
    let set = |field: &mut u32, name: &str, from: u32, to: u32| -> Result<(), Fault> {
        if let Some(n) = form.number(name, from..=to)? {
            *field = n;
        }
        Ok(())
    };
    set(&mut check.interval_s, "HealthCheckIntervalSeconds", 5, 300)?;
    set(&mut check.timeout_s, "HealthCheckTimeoutSeconds", 2, 120)?;
    set(&mut check.healthy_threshold, "HealthyThresholdCount", 2, 10)?;
    set(&mut check.unhealthy_threshold, "UnhealthyThresholdCount", 2, 10)?;
    if form.text("HealthCheckPort") == Some(TRAFFIC_PORT) {
        check.port = None;
    } else if let Some(port) = form.number("HealthCheckPort", 1..=65535)? {
        check.port = u16::try_from(port).ok();
    }
    if check.timeout_s > check.interval_s {
        let why = format!(
            "Health check timeout '{}' must be smaller than or equal to the interval '{}'",
            check.timeout_s, check.interval_s
        );
        return Err(Fault::new("ValidationError", why));
    }
    for name in ["HealthCheckPath", "Matcher.HttpCode"] {
        if check.protocol == HealthProtocol::Tcp && form.has(name) {
            let why = format!("'{name}' cannot be specified for health checks with protocol TCP");
            return Err(Fault::new("InvalidConfigurationRequest", why));
        }
    }
    if let Some(path) = form.text("HealthCheckPath") {
        check.path = checked_path(path)?;
    }
    if let Some(codes) = form.text("Matcher.HttpCode") {
        check.matcher = codes.split(',').map(range).collect::<Option<_>>().ok_or_else(|| {
            Fault::new(
                "ValidationError",
                format!("Health check matcher HTTP code '{codes}' must be within '200-399'"),
            )
        })?;
    }
    Ok(check)
}

/// What a target group says about its health check.
pub(super) fn write(x: &mut Xml, check: &HealthCheck) {
    x.text(
        "HealthCheckProtocol",
        match check.protocol {
            HealthProtocol::Tcp => "TCP",
            HealthProtocol::Http => "HTTP",
            HealthProtocol::Https => "HTTPS",
        },
    );
    x.text("HealthCheckPort", port(check));
    x.text("HealthCheckEnabled", true);
    x.text("HealthCheckIntervalSeconds", check.interval_s);
    x.text("HealthCheckTimeoutSeconds", check.timeout_s);
    x.text("HealthyThresholdCount", check.healthy_threshold);
    x.text("UnhealthyThresholdCount", check.unhealthy_threshold);
    if check.protocol != HealthProtocol::Tcp {
        x.text("HealthCheckPath", &check.path);
        let one =
            |(from, to): &(u16, u16)| if from == to { from.to_string() } else { format!("{from}-{to}") };
        let codes: Vec<String> = check.matcher.iter().map(one).collect();
        x.within("Matcher", |x| x.text("HttpCode", codes.join(",")));
    }
}

/// A health check's port, as the API has it.
pub(super) fn port(check: &HealthCheck) -> String {
    check.port.map_or_else(|| TRAFFIC_PORT.to_owned(), |port| port.to_string())
}

fn checked_path(path: &str) -> Result<String, Fault> {
    let plain = path.bytes().all(|b| b.is_ascii_graphic());
    if path.starts_with('/') && plain && path.len() <= 1024 {
        return Ok(path.to_owned());
    }
    let why = format!(
        "Health check path '{path}' must begin with a '/' and have at most 1024 printable characters"
    );
    Err(Fault::new("ValidationError", why))
}

/// `200` or `200-299`, within 200–399.
fn range(text: &str) -> Option<(u16, u16)> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let (from, to) = (from.parse().ok()?, to.parse().ok()?);
    (200 <= from && from <= to && to <= 399).then_some((from, to))
}
