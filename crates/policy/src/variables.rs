//! Names for lists: `$HOME_NET` and its like, for addresses and for ports.

use std::collections::{BTreeMap, HashMap};

use crate::address::{AddressItem, AddressSet};
use crate::fault::{Why, nearest};
use crate::list::{Item, List, Set};
use crate::port::PortItem;

/// How many ranges the lists of one loading may make in all, repetitions counted: bounds memory and time however
/// variables multiply each other.
const RANGES_MAX: usize = 1 << 22;
/// How deep variables may stand in variables.
const DEPTH_MAX: usize = 32;

/// What the variables of a policy stand for. Addresses and ports are two name spaces.
///
/// ```
/// let mut variables = policy::Variables::default();
/// variables.set_addresses("HOME_NET", "[10.1.0.0/16,2001:db8::/32]")?;
/// variables.set_ports("HTTP_PORTS", "[80,8080]")?;
/// # Ok::<(), policy::Why>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Variables {
    addresses: BTreeMap<String, Meaning<AddressItem>>,
    ports: BTreeMap<String, Meaning<PortItem>>,
}

/// What a name stands for.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Meaning<T: Item> {
    /// What a list comes to, with variables in it looked up when rules are loaded.
    List(List<T>),
    /// A set that was made elsewhere.
    Set(T::Set),
}

impl Default for Variables {
    /// The reference's defaults: `HOME_NET` is RFC 1918, `EXTERNAL_NET` the rest, every `*_SERVERS` the home net,
    /// and the usual ports.
    fn default() -> Self {
        let mut variables = Self { addresses: BTreeMap::new(), ports: BTreeMap::new() };
        for (name, text) in ADDRESSES {
            variables.addresses.extend(list(text).map(|list| ((*name).to_owned(), list)));
        }
        for (name, text) in PORTS {
            variables.ports.extend(list(text).map(|list| ((*name).to_owned(), list)));
        }
        variables
    }
}

impl Variables {
    /// Gives a name, written without the dollar sign, to a list of addresses; replaces what it stood for.
    ///
    /// # Errors
    /// What is wrong with the list. Other variables in it are looked up when rules are loaded.
    pub fn set_addresses(&mut self, name: &str, list: &str) -> Result<(), Why> {
        self.addresses.insert(name.to_owned(), self::list(list)?);
        Ok(())
    }

    /// Gives a name, written without the dollar sign, to a list of ports; replaces what it stood for.
    ///
    /// # Errors
    /// As [`Variables::set_addresses`].
    pub fn set_ports(&mut self, name: &str, list: &str) -> Result<(), Why> {
        self.ports.insert(name.to_owned(), self::list(list)?);
        Ok(())
    }

    /// Gives a name, written without the dollar sign, to a set of addresses, such as a feed's; replaces what it stood
    /// for. A rule with a name for an empty set is refused.
    pub fn set_feed(&mut self, name: &str, set: AddressSet) {
        self.addresses.insert(name.to_owned(), Meaning::Set(set));
    }

    pub(crate) fn addresses(&self) -> Resolver<'_, AddressItem> {
        Resolver::new(&self.addresses)
    }

    pub(crate) fn ports(&self) -> Resolver<'_, PortItem> {
        Resolver::new(&self.ports)
    }
}

fn list<T: Item>(text: &str) -> Result<Meaning<T>, Why> {
    List::parse(text.trim().as_bytes()).map(Meaning::List).map_err(|fault| fault.why)
}

/// Looks variables up, each once, and keeps account of the work.
pub(crate) struct Resolver<'a, T: Item> {
    names: &'a BTreeMap<String, Meaning<T>>,
    known: HashMap<&'a str, Result<T::Set, Why>>,
    /// Variables being looked up, outermost first.
    open: Vec<&'a str>,
    spent: usize,
}

impl<'a, T: Item> Resolver<'a, T> {
    fn new(names: &'a BTreeMap<String, Meaning<T>>) -> Self {
        Self { names, known: HashMap::new(), open: Vec::new(), spent: 0 }
    }

    /// What a variable stands for.
    pub(crate) fn variable(&mut self, name: &str) -> Result<T::Set, Why> {
        let Some((name, meaning)) = self.names.get_key_value(name) else {
            return Err(Why::Undefined(name.to_owned()));
        };
        if let Some(known) = self.known.get(name.as_str()) {
            return known.clone();
        }
        if self.open.contains(&name.as_str()) {
            return Err(Why::Cyclic(name.clone()));
        }
        if self.open.len() == DEPTH_MAX {
            return Err(Why::TooMuch { what: "variables in variables", limit: DEPTH_MAX });
        }
        self.open.push(name);
        let resolved = match meaning {
            Meaning::List(list) => list.resolve(self),
            Meaning::Set(set) => Ok(set.clone()),
        };
        let resolved = resolved.and_then(|set| match (set.is_empty(), meaning) {
            (false, _) => Ok(set),
            (true, Meaning::List(list)) => Err(Why::Empty(list.to_string())),
            (true, Meaning::Set(_)) => Err(Why::Empty("the feed".to_owned())),
        });
        self.open.pop();
        let resolved = resolved.map_err(|why| match why {
            Why::Cyclic(_) | Why::Variable { .. } => why,
            why => Why::Variable { name: name.clone(), why: Box::new(why) },
        });
        self.known.insert(name, resolved.clone());
        resolved
    }

    /// Takes note that `ranges` were made.
    pub(crate) fn spend(&mut self, ranges: usize) -> Result<(), Why> {
        self.spent = self.spent.saturating_add(ranges);
        match self.spent <= RANGES_MAX {
            true => Ok(()),
            false => Err(Why::TooMuch { what: "the ranges of all lists", limit: RANGES_MAX }),
        }
    }

    /// A defined name that looks like `name`.
    pub(crate) fn nearest(&self, name: &str) -> Option<String> {
        nearest(name, self.names.keys().map(String::as_str))
    }
}

const ADDRESSES: &[(&str, &str)] = &[
    ("HOME_NET", "[192.168.0.0/16,10.0.0.0/8,172.16.0.0/12]"),
    ("EXTERNAL_NET", "!$HOME_NET"),
    ("AIM_SERVERS", "$EXTERNAL_NET"),
    ("DC_SERVERS", "$HOME_NET"),
    ("DNP3_CLIENT", "$HOME_NET"),
    ("DNP3_SERVER", "$HOME_NET"),
    ("DNS_SERVERS", "$HOME_NET"),
    ("ENIP_CLIENT", "$HOME_NET"),
    ("ENIP_SERVER", "$HOME_NET"),
    ("HTTP_SERVERS", "$HOME_NET"),
    ("MODBUS_CLIENT", "$HOME_NET"),
    ("MODBUS_SERVER", "$HOME_NET"),
    ("SMTP_SERVERS", "$HOME_NET"),
    ("SQL_SERVERS", "$HOME_NET"),
    ("TELNET_SERVERS", "$HOME_NET"),
];

const PORTS: &[(&str, &str)] = &[
    ("DNP3_PORTS", "20000"),
    ("FILE_DATA_PORTS", "[$HTTP_PORTS,110,143]"),
    ("FTP_PORTS", "21"),
    ("GENEVE_PORTS", "6081"),
    ("HTTP_PORTS", "80"),
    ("MODBUS_PORTS", "502"),
    ("ORACLE_PORTS", "1521"),
    ("SHELLCODE_PORTS", "!80"),
    ("SIP_PORTS", "[5060,5061]"),
    ("SSH_PORTS", "22"),
    ("TEREDO_PORTS", "3544"),
    ("VXLAN_PORTS", "4789"),
];

#[cfg(test)]
mod tests {
    use super::{ADDRESSES, PORTS, Variables};
    use crate::fault::Why;

    #[test]
    fn every_default_variable_stands_for_something() {
        let variables = Variables::default();
        for (name, _) in ADDRESSES {
            assert!(variables.addresses().variable(name).is_ok(), "{name}");
        }
        for (name, _) in PORTS {
            assert!(variables.ports().variable(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_variable_that_needs_itself_is_named() {
        let mut variables = Variables::default();
        variables.set_addresses("A", "[$B,10.0.0.1]").unwrap();
        variables.set_addresses("B", "!$A").unwrap();
        assert_eq!(variables.addresses().variable("A"), Err(Why::Cyclic("A".to_owned())));
    }

    #[test]
    fn an_empty_variable_is_refused_by_name() {
        let mut variables = Variables::default();
        variables.set_ports("NONE", "[80,!80]").unwrap();
        let why = variables.ports().variable("NONE").unwrap_err();
        assert_eq!(
            why.to_string(),
            "variable `$NONE` cannot be used: `[80,!80]` is empty: it excludes everything it includes"
        );
    }

    #[test]
    fn variables_that_multiply_each_other_hit_a_bound() {
        let mut variables = Variables::default();
        let many: Vec<String> = (0..8000).map(|n| format!("10.{}.{}.1", n / 250, n % 250)).collect();
        variables.set_addresses("V0", &format!("[{}]", many.join(","))).unwrap();
        for level in 1..32 {
            let lists = format!("$V{},", level - 1).repeat(400);
            variables.set_addresses(&format!("V{level}"), &format!("[{lists}10.0.0.0]")).unwrap();
        }
        assert!(variables.addresses().variable("V31").is_err());
    }
}
