//! Points that AWS does not publish, or on which its texts differ.

use serde::{Deserialize, Serialize};

/// How they are decided. The defaults are what AWS's newest texts suggest; `gwlb-lab up --switch NAME=VALUE` changes one.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Switches {
    /// Carry inner fragments as three-tuple flows; AWS: "does not support IP fragmentation". Default false.
    pub fragments: bool,
    /// Let a TCP segment without SYN begin a flow (an older AWS text: it is rehashed). Default false: dropped.
    pub midstream: bool,
    /// A UDP source port of its own for each direction of a flow; unpublished. Default false: one for both.
    pub udp_port_per_direction: bool,
    /// Refuse what returns from another address than the flow's target. Default true.
    pub check_source: bool,
    /// Refuse what returns with another UDP source port than the flow's. Default true.
    pub check_udp_port: bool,
    /// Refuse what returns with an inner tuple other than the flow's. Default true.
    pub check_inner: bool,
    /// Fill in the outer UDP checksum; zero is legal over IPv4 (RFC 8926 §3.3). Default false.
    pub udp_checksum: bool,
    /// Speak TLS 1.3 in HTTPS health checks; the user guide of 2023 says that targets which know nothing else fail. Default
    /// true.
    pub https_tls13: bool,
    /// Flows one node keeps at most; a packet that would begin one more is dropped. Default 1,048,576.
    pub flow_limit: usize,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            fragments: false,
            midstream: false,
            udp_port_per_direction: false,
            check_source: true,
            check_udp_port: true,
            check_inner: true,
            udp_checksum: false,
            https_tls13: true,
            flow_limit: 1 << 20,
        }
    }
}

/// A switch that is none, or a value that it cannot have.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SwitchError {
    /// Not `NAME=VALUE`.
    #[error("'{0}' is not NAME=VALUE")]
    Form(String),
    /// No such switch.
    #[error("there is no switch '{0}'; there are {1}")]
    Unknown(String, String),
    /// Not its kind of value.
    #[error("the switch '{0}' cannot be '{1}': {2}")]
    Value(String, String, String),
}

impl Switches {
    /// These with `NAME=VALUE` changed.
    ///
    /// # Errors
    /// [`SwitchError`].
    pub fn with(self, setting: &str) -> Result<Self, SwitchError> {
        let form = || SwitchError::Form(setting.to_owned());
        let (name, value) = setting.split_once('=').ok_or_else(form)?;
        let serde_json::Value::Object(mut all) = serde_json::json!(self) else { return Err(form()) };
        let Some(place) = all.get_mut(name) else {
            let known: Vec<&str> = all.keys().map(String::as_str).collect();
            return Err(SwitchError::Unknown(name.to_owned(), known.join(", ")));
        };
        *place = serde_json::from_str(value).unwrap_or_else(|_| value.into());
        serde_json::from_value(all.into())
            .map_err(|error| SwitchError::Value(name.to_owned(), value.to_owned(), error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_is_set_by_its_name_and_what_is_none_is_refused_with_those_there_are() {
        let set = Switches::default().with("fragments=true").unwrap().with("flow_limit=7").unwrap();
        assert_eq!(set, Switches { fragments: true, flow_limit: 7, ..Switches::default() });
        let told = |text| Switches::default().with(text).unwrap_err().to_string();
        assert!(
            told("fragment=true").contains("there are check_inner, check_source"),
            "{}",
            told("fragment=true")
        );
        assert!(told("midstream=perhaps").contains("cannot be 'perhaps'"));
        assert!(told("midstream").contains("NAME=VALUE"));
    }
}
