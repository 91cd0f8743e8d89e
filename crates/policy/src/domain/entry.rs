//! One entry of a domain list.

use std::fmt;

use arrayvec::ArrayString;

use crate::fault::{Why, quoted};

/// Longest name in bytes, without the dot at its end (RFC 1035, section 2.3.4: 255 octets with length octets and root).
pub const DOMAIN_LEN_MAX: usize = 253;
/// Longest label in bytes (RFC 1035, section 2.3.4).
const LABEL_LEN_MAX: usize = 63;

/// A name, or with a dot before it a name and all that is below it, as AWS Network Firewall's domain lists have it
/// ("Stateful domain list rule groups": `.example.com` matches `example.com` and `www.example.com`).
///
/// ```
/// let domain = policy::Domain::parse(".Example.com")?;
/// assert_eq!(domain.as_str(), ".example.com");
/// # Ok::<(), policy::Why>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Domain(ArrayString<{ DOMAIN_LEN_MAX + 1 }>);

impl Domain {
    /// Reads an entry; capitals are made small, a dot at the end counts for nothing.
    ///
    /// # Errors
    /// Labels that no name has: empty, longer than 63 bytes, with other bytes than letters, digits, `-` and `_`; more than
    /// 253 bytes in all. A name in another script is written as it is on the wire (`xn--…`); `*.` has no counterpart that is
    /// not wider than it says.
    pub fn parse(text: &str) -> Result<Self, Why> {
        let wrong = |expected| Why::Value { value: quoted(text.as_bytes()), expected };
        if text.starts_with("*.") {
            return Err(wrong("a domain; `.example.com` stands for example.com and all that is below it"));
        }
        if !text.is_ascii() {
            return Err(wrong("a domain in letters of ASCII; write it as it is on the wire, `xn--…`"));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        let base = name.strip_prefix('.').unwrap_or(name);
        let is_label = |label: &str| {
            matches!(label.len(), 1..=LABEL_LEN_MAX)
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        if base.len() > DOMAIN_LEN_MAX || !base.split('.').all(is_label) {
            return Err(wrong("a domain such as `www.example.com` or `.example.com`"));
        }
        let mut entry = ArrayString::from(name).map_err(|_| wrong("a domain of at most 253 bytes"))?;
        entry.make_ascii_lowercase();
        Ok(Self(entry))
    }

    /// The name and all that is below it.
    ///
    /// # Errors
    /// As [`Domain::parse`].
    pub fn below(name: &str) -> Result<Self, Why> {
        Self::parse(&format!(".{name}"))
    }

    /// As a list has it: in small letters, with a dot before it if what is below it is meant too.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
