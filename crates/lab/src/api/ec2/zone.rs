use crate::api::action::{Action, Call};
use crate::api::fault::Fault;
use crate::api::filter::{Filters, one};
use crate::state::Tags;

pub(super) const ACTIONS: &[Action] = &[Action {
    name: "DescribeAvailabilityZones",
    parameters: &["ZoneName.N", "ZoneId.N", "Filter.N.Name", "Filter.N.Value.N"],
    run: describe,
}];

fn describe(call: &mut Call<'_>) -> Result<(), Fault> {
    let Call { form, state, out, .. } = call;
    let region = &state.settings.region;
    let filters = Filters::of(form, &["zone-name", "zone-id", "region-name", "state"])?;
    let (names, ids) = (form.list("ZoneName"), form.list("ZoneId"));
    let unknown = names.iter().find(|n| !state.settings.zones.iter().any(|z| z == *n));
    if let Some(name) =
        unknown.or_else(|| ids.iter().find(|i| !state.settings.zones.iter().any(|z| id_of(z) == **i)))
    {
        return Err(Fault::new("InvalidParameterValue", format!("Invalid availability zone: [{name}]")));
    }
    let found: Vec<&String> = state
        .settings
        .zones
        .iter()
        .filter(|z| names.is_empty() || names.contains(&z.as_str()))
        .filter(|z| ids.is_empty() || ids.contains(&id_of(z).as_str()))
        .filter(|z| {
            filters.pass(&Tags::new(), |name| match name {
                "zone-name" => one(z),
                "zone-id" => one(id_of(z)),
                "region-name" => one(region),
                _ => one("available"),
            })
        })
        .collect();
    out.list("availabilityZoneInfo", "item", found, |x, zone| {
        x.text("zoneName", zone);
        x.text("zoneId", id_of(zone));
        x.text("zoneState", "available");
        x.text("regionName", region);
        x.text("optInStatus", "opt-in-not-required");
        x.text("zoneType", "availability-zone");
        x.text("groupName", region);
        x.text("networkBorderGroup", region);
        x.texts("messageSet", "item", [""; 0]);
    });
    Ok(())
}

/// The zone that a request names, by name or id; the lab's first if it names none.
pub(super) fn wanted(call: &Call<'_>) -> Result<String, Fault> {
    let zones = &call.state.settings.zones;
    let found = match (call.form.text("AvailabilityZone"), call.form.text("AvailabilityZoneId")) {
        (None, None) => return Ok(zones.first().cloned().unwrap_or_default()),
        (Some(name), None) => zones.iter().find(|z| *z == name).ok_or(name),
        (None, Some(id)) => zones.iter().find(|z| id_of(z) == id).ok_or(id),
        (Some(_), Some(_)) => {
            let why = "AvailabilityZone and AvailabilityZoneId cannot both be given.";
            return Err(Fault::new("InvalidParameterCombination", why));
        }
    };
    found.cloned().map_err(|given| {
        let why = format!(
            "Value ({given}) for parameter availabilityZone is invalid. Subnets can currently only be created in the \
             following availability zones: {}.",
            zones.join(", ")
        );
        Fault::new("InvalidParameterValue", why)
    })
}

/// A zone's id: `us-east-2a` is `use2-az1`.
pub(super) fn id_of(zone: &str) -> String {
    let mut words = zone.split('-');
    let area = words.next().unwrap_or_default();
    let side: String = match words.next().unwrap_or_default() {
        "southeast" => "se".into(),
        "northeast" => "ne".into(),
        "southwest" => "sw".into(),
        "northwest" => "nw".into(),
        side => side.chars().take(1).collect(),
    };
    let last = words.next().unwrap_or_default();
    let number: String = last.chars().filter(char::is_ascii_digit).collect();
    let letter = last.bytes().find(u8::is_ascii_lowercase).map_or(0, |b| b - b'a' + 1);
    format!("{area}{side}{number}-az{letter}")
}
