//! The protocols that a header may name.

use std::fmt;

/// ICMP, TCP, UDP, ICMPv6 and SCTP in the IP header (IANA, "Assigned Internet Protocol Numbers").
pub(crate) const ICMP: u8 = 1;
pub(crate) const TCP: u8 = 6;
pub(crate) const UDP: u8 = 17;
pub(crate) const ICMP_V6: u8 = 58;
pub(crate) const SCTP: u8 = 132;

/// What a header says of the protocol. Those of the network come first, those above TCP and UDP after `Sctp`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Protocol {
    /// `ip`: every packet of either version.
    Ip,
    /// `ipv4`.
    Ipv4,
    /// `ipv6`.
    Ipv6,
    /// `tcp`: packets and stream.
    Tcp,
    /// `tcp-pkt`: packets alone.
    TcpPacket,
    /// `tcp-stream`: the stream alone.
    TcpStream,
    /// `udp`.
    Udp,
    /// `icmp`: ICMP in IPv4 and ICMPv6.
    Icmp,
    /// `icmpv4`.
    Icmpv4,
    /// `icmpv6`.
    Icmpv6,
    /// `sctp`.
    Sctp,
    /// `http`: HTTP of any version.
    Http,
    /// `http1`: HTTP/1.
    Http1,
    /// `http2`: HTTP/2.
    Http2,
    /// `tls`: TLS.
    Tls,
    /// `dns`: DNS.
    Dns,
    /// `mdns`: multicast DNS.
    Mdns,
    /// `doh2`: DNS over HTTP/2.
    Doh2,
    /// `smtp`: SMTP.
    Smtp,
    /// `ftp`: FTP's control connection.
    Ftp,
    /// `ftp-data`: FTP's data connections.
    FtpData,
    /// `smb`: SMB.
    Smb,
    /// `ssh`: SSH.
    Ssh,
    /// `quic`: QUIC.
    Quic,
    /// `ntp`: NTP.
    Ntp,
    /// `dcerpc`: DCE/RPC.
    Dcerpc,
    /// `nfs`: NFS.
    Nfs,
    /// `ike`: IKE.
    Ike,
    /// `krb5`: Kerberos.
    Krb5,
    /// `dhcp`: DHCP.
    Dhcp,
    /// `imap`: IMAP.
    Imap,
    /// `pop3`: POP3.
    Pop3,
    /// `modbus`: Modbus.
    Modbus,
    /// `dnp3`: DNP3.
    Dnp3,
    /// `enip`: EtherNet/IP.
    Enip,
    /// `rfb`: RFB.
    Rfb,
    /// `rdp`: RDP.
    Rdp,
    /// `snmp`: SNMP.
    Snmp,
    /// `tftp`: TFTP.
    Tftp,
    /// `sip`: SIP.
    Sip,
    /// `telnet`: Telnet.
    Telnet,
    /// `websocket`: WebSocket.
    Websocket,
    /// `mqtt`: MQTT.
    Mqtt,
    /// `pgsql`: PostgreSQL.
    Pgsql,
    /// `ldap`: LDAP.
    Ldap,
    /// `bittorrent-dht`: the BitTorrent DHT.
    BittorrentDht,
}

impl Protocol {
    /// Every protocol.
    pub const ALL: [Self; 46] = [
        Self::Ip,
        Self::Ipv4,
        Self::Ipv6,
        Self::Tcp,
        Self::TcpPacket,
        Self::TcpStream,
        Self::Udp,
        Self::Icmp,
        Self::Icmpv4,
        Self::Icmpv6,
        Self::Sctp,
        Self::Http,
        Self::Http1,
        Self::Http2,
        Self::Tls,
        Self::Dns,
        Self::Mdns,
        Self::Doh2,
        Self::Smtp,
        Self::Ftp,
        Self::FtpData,
        Self::Smb,
        Self::Ssh,
        Self::Quic,
        Self::Ntp,
        Self::Dcerpc,
        Self::Nfs,
        Self::Ike,
        Self::Krb5,
        Self::Dhcp,
        Self::Imap,
        Self::Pop3,
        Self::Modbus,
        Self::Dnp3,
        Self::Enip,
        Self::Rfb,
        Self::Rdp,
        Self::Snmp,
        Self::Tftp,
        Self::Sip,
        Self::Telnet,
        Self::Websocket,
        Self::Mqtt,
        Self::Pgsql,
        Self::Ldap,
        Self::BittorrentDht,
    ];

    /// The protocol of that name, in lower case.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "ip4" => Some(Self::Ipv4),
            "ip6" => Some(Self::Ipv6),
            "ssl" => Some(Self::Tls),
            _ => Self::ALL.into_iter().find(|protocol| protocol.name() == name),
        }
    }

    /// The name that rules use.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Ip => "ip",
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::Tcp => "tcp",
            Self::TcpPacket => "tcp-pkt",
            Self::TcpStream => "tcp-stream",
            Self::Udp => "udp",
            Self::Icmp => "icmp",
            Self::Icmpv4 => "icmpv4",
            Self::Icmpv6 => "icmpv6",
            Self::Sctp => "sctp",
            Self::Http => "http",
            Self::Http1 => "http1",
            Self::Http2 => "http2",
            Self::Tls => "tls",
            Self::Dns => "dns",
            Self::Mdns => "mdns",
            Self::Doh2 => "doh2",
            Self::Smtp => "smtp",
            Self::Ftp => "ftp",
            Self::FtpData => "ftp-data",
            Self::Smb => "smb",
            Self::Ssh => "ssh",
            Self::Quic => "quic",
            Self::Ntp => "ntp",
            Self::Dcerpc => "dcerpc",
            Self::Nfs => "nfs",
            Self::Ike => "ike",
            Self::Krb5 => "krb5",
            Self::Dhcp => "dhcp",
            Self::Imap => "imap",
            Self::Pop3 => "pop3",
            Self::Modbus => "modbus",
            Self::Dnp3 => "dnp3",
            Self::Enip => "enip",
            Self::Rfb => "rfb",
            Self::Rdp => "rdp",
            Self::Snmp => "snmp",
            Self::Tftp => "tftp",
            Self::Sip => "sip",
            Self::Telnet => "telnet",
            Self::Websocket => "websocket",
            Self::Mqtt => "mqtt",
            Self::Pgsql => "pgsql",
            Self::Ldap => "ldap",
            Self::BittorrentDht => "bittorrent-dht",
        }
    }

    /// Whether it is a protocol above TCP and UDP, which only its content tells.
    #[must_use]
    pub fn is_application(&self) -> bool {
        *self > Self::Sctp
    }

    /// Whether this appliance judges rules of it.
    #[must_use]
    pub fn is_judged(&self) -> bool {
        !matches!(self, Self::Doh2 | Self::FtpData | Self::Http2 | Self::Websocket)
    }

    /// Whether a packet of that IP version and protocol number can be of this protocol.
    #[must_use]
    pub fn includes(self, version: u8, number: u8) -> bool {
        match self {
            Self::Ip => true,
            Self::Ipv4 => version == 4,
            Self::Ipv6 => version == 6,
            Self::Tcp | Self::TcpPacket | Self::TcpStream => number == TCP,
            Self::Udp => number == UDP,
            Self::Http
            | Self::Http1
            | Self::Http2
            | Self::Tls
            | Self::Doh2
            | Self::Smtp
            | Self::Ftp
            | Self::FtpData
            | Self::Smb
            | Self::Ssh
            | Self::Imap
            | Self::Pop3
            | Self::Modbus
            | Self::Dnp3
            | Self::Rfb
            | Self::Rdp
            | Self::Telnet
            | Self::Websocket
            | Self::Mqtt
            | Self::Pgsql => number == TCP,
            Self::Mdns
            | Self::Quic
            | Self::Ntp
            | Self::Ike
            | Self::Dhcp
            | Self::Snmp
            | Self::Tftp
            | Self::BittorrentDht => number == UDP,
            Self::Dns | Self::Dcerpc | Self::Nfs | Self::Krb5 | Self::Enip | Self::Sip | Self::Ldap => {
                number == TCP || number == UDP
            }
            Self::Icmp => number == ICMP || number == ICMP_V6,
            Self::Icmpv4 => number == ICMP,
            Self::Icmpv6 => number == ICMP_V6,
            Self::Sctp => number == SCTP,
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether packets of that protocol number have ports.
pub(crate) fn has_ports(number: u8) -> bool {
    matches!(number, TCP | UDP | SCTP)
}
