//! Readers of single values: what a TOML value must be, in words that an error can end with.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use ipnet::Ipv4Net;
use toml::de::DeValue;

/// A whole number in a range.
pub(crate) fn number(range: RangeInclusive<u32>) -> impl Fn(&DeValue<'_>) -> Result<u32, String> {
    move |value| {
        let number = value.as_integer().and_then(|n| u32::from_str_radix(n.as_str(), n.radix()).ok());
        let wanted = || format!("must be a whole number from {} to {}", range.start(), range.end());
        number.filter(|number| range.contains(number)).ok_or_else(wanted)
    }
}

/// A power of two in a range.
pub(crate) fn power_of_two(range: RangeInclusive<u32>) -> impl Fn(&DeValue<'_>) -> Result<u32, String> {
    move |value| {
        let wanted = || format!("must be a power of two from {} to {}", range.start(), range.end());
        number(range.clone())(value).ok().filter(|number| number.is_power_of_two()).ok_or_else(wanted)
    }
}

/// A UDP or TCP port that can be listened on.
pub(crate) fn listen_port(value: &DeValue<'_>) -> Result<u16, String> {
    let port = number(1..=65535)(value)?;
    u16::try_from(port).map_err(|error| error.to_string())
}

/// Whole seconds.
pub(crate) fn seconds(range: RangeInclusive<u32>) -> impl Fn(&DeValue<'_>) -> Result<Duration, String> {
    move |value| {
        let wanted = || format!("must be whole seconds from {} to {}", range.start(), range.end());
        number(range.clone())(value).map(|number| Duration::from_secs(number.into())).map_err(|_| wanted())
    }
}

/// Whole milliseconds.
pub(crate) fn milliseconds(range: RangeInclusive<u32>) -> impl Fn(&DeValue<'_>) -> Result<Duration, String> {
    move |value| {
        let wanted = || format!("must be whole milliseconds from {} to {}", range.start(), range.end());
        number(range.clone())(value).map(|number| Duration::from_millis(number.into())).map_err(|_| wanted())
    }
}

/// Text that is not empty and has no control characters.
pub(crate) fn text(value: &DeValue<'_>) -> Result<String, String> {
    let text = value.as_str().filter(|text| !text.is_empty() && !text.contains(char::is_control));
    text.map(Into::into).ok_or_else(|| "must be text in quotes, not empty".into())
}

/// As [`text`], or empty for nothing.
pub(crate) fn text_or_none(value: &DeValue<'_>) -> Result<Option<String>, String> {
    if value.as_str() == Some("") { Ok(None) } else { text(value).map(Some) }
}

/// One of a few words.
pub(crate) fn choice<T: Copy>(words: &[(&str, T)]) -> impl Fn(&DeValue<'_>) -> Result<T, String> {
    move |value| {
        let said = value.as_str();
        let found = words.iter().find(|(word, _)| Some(*word) == said).map(|(_, meant)| *meant);
        found.ok_or_else(|| {
            let words: Vec<String> = words.iter().map(|(word, _)| format!("{word:?}")).collect();
            format!("must be one of {}", words.join(", "))
        })
    }
}

/// A list of what `read` accepts.
pub(crate) fn list<T>(
    read: impl Fn(&DeValue<'_>) -> Result<T, String>,
) -> impl Fn(&DeValue<'_>) -> Result<Vec<T>, String> {
    move |value| {
        let values = value.as_array().ok_or("must be a list in [ ]")?;
        values
            .iter()
            .map(|value| read(value.get_ref()).map_err(|wanted| format!("every item {wanted}")))
            .collect()
    }
}

/// An IPv4 prefix whose host bits are zero.
pub(crate) fn prefix(value: &DeValue<'_>) -> Result<Ipv4Net, String> {
    let wanted = "must be an IPv4 prefix such as \"10.1.1.0/24\"";
    let net: Ipv4Net = value.as_str().and_then(|text| text.parse().ok()).ok_or(wanted)?;
    match net == net.trunc() {
        true => Ok(net),
        false => Err(format!("has host bits set; {} would be right", net.trunc())),
    }
}

/// An IPv4 host address with the length of its subnet's prefix.
pub(crate) fn host_in_subnet(value: &DeValue<'_>) -> Result<Ipv4Net, String> {
    let wanted = "must be an IPv4 address with its subnet, such as \"10.1.2.11/24\"";
    let net: Ipv4Net = value.as_str().and_then(|text| text.parse().ok()).ok_or(wanted)?;
    let usable = (8..=30).contains(&net.prefix_len())
        && net.addr() != net.network()
        && net.addr() != net.broadcast()
        && unicast(net.addr());
    usable.then_some(net).ok_or_else(|| format!("is no host address; {wanted}"))
}

pub(crate) fn host(value: &DeValue<'_>) -> Result<Ipv4Addr, String> {
    let address: Option<Ipv4Addr> = value.as_str().and_then(|text| text.parse().ok());
    let wanted = || "must be an IPv4 host address such as \"10.1.2.1\"".into();
    address.filter(|address| unicast(*address)).ok_or_else(wanted)
}

/// An address to listen on.
pub(crate) fn socket(value: &DeValue<'_>) -> Result<SocketAddr, String> {
    let wanted = "must be an address and a TCP port such as \"127.0.0.1:9100\"";
    value.as_str().and_then(|text| text.parse().ok()).ok_or_else(|| wanted.into())
}

fn unicast(address: Ipv4Addr) -> bool {
    !(address.is_unspecified() || address.is_multicast() || address.is_broadcast() || address.is_loopback())
}
