//! Which protocol a flow speaks, told from its first bytes.
//!
//! Each protocol has marks: tests of the first bytes of one way, some of which hold at a port only. A mark says yes, no,
//! or that it needs more bytes, and never takes a yes or a no back when more come. The marks stand in an order; the
//! guess is the first that says yes once all before it have said no. So it is the same however the bytes were cut.
//!
//! What cannot be told by content is told by content and port: DNS, NTP, SNMP and others have too little that is theirs
//! alone. FTP, SMTP and POP3 begin alike (`220 `, `USER `): the text of the greeting or the port tells them apart, and
//! where neither does, the next line of the other way may.

mod binary;
mod datagram;
mod text;

use policy::{Protocol, Way};

/// How many bytes of one way are looked at before it is given up.
pub const GUESS_BYTES: usize = 2048;

/// What is known of the protocol of one way.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Guess {
    /// More bytes may tell.
    #[default]
    Undecided,
    /// It speaks this.
    Decided(Protocol),
    /// None that is known, whatever comes.
    Failed,
}

impl Guess {
    /// The protocol, if there is one.
    #[must_use]
    pub const fn protocol(self) -> Option<Protocol> {
        match self {
            Self::Decided(protocol) => Some(protocol),
            Self::Undecided | Self::Failed => None,
        }
    }
}

/// The ports of a flow's ends.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Ports {
    /// That of the end that began.
    pub initiator: u16,
    /// That of the other.
    pub responder: u16,
}

impl Ports {
    pub(super) const fn either(self, port: u16) -> bool {
        self.initiator == port || self.responder == port
    }
}

/// What a mark looks at.
#[derive(Clone, Copy)]
pub(super) struct Head<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) way: Way,
    pub(super) ports: Ports,
    /// Nothing follows: a datagram, or the end of a way.
    pub(super) whole: bool,
}

/// What a mark says. No and yes are final; maybe becomes no when no more bytes can come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fit {
    No,
    Maybe,
    Yes,
}

impl Fit {
    pub(super) const fn when(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }

    /// All of them hold.
    pub(super) fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut whole = Self::Yes;
        for part in parts {
            match part {
                Self::No => return Self::No,
                Self::Maybe => whole = Self::Maybe,
                Self::Yes => {}
            }
        }
        whole
    }

    /// One of them holds.
    pub(super) fn any(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut whole = Self::No;
        for part in parts {
            match part {
                Self::Yes => return Self::Yes,
                Self::Maybe => whole = Self::Maybe,
                Self::No => {}
            }
        }
        whole
    }
}

impl<'a> Head<'a> {
    /// Whether the byte at `offset` passes.
    pub(super) fn byte(&self, offset: usize, passes: impl FnOnce(u8) -> bool) -> Fit {
        self.bytes.get(offset).map_or(Fit::Maybe, |byte| Fit::when(passes(*byte)))
    }

    /// Whether the two bytes at `offset`, as a number, pass.
    pub(super) fn number(&self, offset: usize, passes: impl FnOnce(u16) -> bool) -> Fit {
        let pair = self.bytes.get(offset..).and_then(<[u8]>::first_chunk);
        pair.map_or(Fit::Maybe, |pair| Fit::when(passes(u16::from_be_bytes(*pair))))
    }

    /// Whether the bytes at `offset` are these.
    pub(super) fn has(&self, offset: usize, expected: &[u8]) -> Fit {
        self.compare(offset, expected, <[u8]>::eq)
    }

    /// Whether the bytes at `offset` are these letters, small or capital.
    pub(super) fn says(&self, offset: usize, expected: &[u8]) -> Fit {
        self.compare(offset, expected, <[u8]>::eq_ignore_ascii_case)
    }

    fn compare(&self, offset: usize, expected: &[u8], same: fn(&[u8], &[u8]) -> bool) -> Fit {
        let there = self.bytes.get(offset..).unwrap_or_default();
        let length = there.len().min(expected.len());
        match (there.get(..length), expected.get(..length)) {
            (Some(there), Some(start)) if same(there, start) => {
                if length == expected.len() {
                    Fit::Yes
                } else {
                    Fit::Maybe
                }
            }
            _ => Fit::No,
        }
    }

    /// The first line, without its end, once it is there.
    pub(super) fn line(&self) -> Option<&'a [u8]> {
        let end = self.bytes.iter().position(|byte| *byte == b'\n')?;
        let line = self.bytes.get(..end)?;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

/// One test for one protocol.
pub(super) type Mark = (Protocol, fn(&Head<'_>) -> Fit);

/// What the first bytes of one way of a stream say.
pub(super) fn stream(head: &Head<'_>) -> Guess {
    guess(head, binary::MARKS.iter().chain(text::MARKS))
}

/// What a datagram says.
pub(super) fn datagram(head: &Head<'_>) -> Guess {
    guess(head, datagram::MARKS.iter())
}

/// Whether the marks of one protocol fit a way of a stream.
pub(super) fn fits(head: &Head<'_>, protocol: Protocol) -> Fit {
    let marks = binary::MARKS.iter().chain(text::MARKS).filter(|(of, _)| *of == protocol);
    Fit::any(marks.map(|(_, mark)| mark(head)))
}

fn guess<'m>(head: &Head<'_>, marks: impl Iterator<Item = &'m Mark>) -> Guess {
    for (protocol, mark) in marks {
        match mark(head) {
            Fit::Yes => return Guess::Decided(*protocol),
            Fit::Maybe if !head.whole && head.bytes.len() < GUESS_BYTES => return Guess::Undecided,
            Fit::Maybe | Fit::No => {}
        }
    }
    Guess::Failed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_stream(bytes: &[u8], way: Way, responder: u16) -> Guess {
        stream(&Head { bytes, way, ports: Ports { initiator: 40000, responder }, whole: false })
    }

    fn of_datagram(bytes: &[u8], way: Way, responder: u16) -> Guess {
        datagram(&Head { bytes, way, ports: Ports { initiator: 40000, responder }, whole: true })
    }

    /// First bytes, way, the responder's port and what they are.
    const STREAMS: &[(&[u8], Way, u16, Protocol)] = &[
        (b"GET / HTTP/1.1\r\n", Way::ToServer, 8080, Protocol::Http1),
        (b"BREW /pot HTTP/1.1\r\n", Way::ToServer, 80, Protocol::Http1),
        (b"HTTP/1.1 200 OK\r\n", Way::ToClient, 80, Protocol::Http1),
        (b"OPTIONS * HTTP/1.1\r\n", Way::ToServer, 80, Protocol::Http1),
        (b"OPTIONS sip:a@b.example SIP/2.0\r\n", Way::ToServer, 5060, Protocol::Sip),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Way::ToServer, 80, Protocol::Http2),
        (b"\x16\x03\x01\x02\x00\x01", Way::ToServer, 4433, Protocol::Tls),
        (b"\x16\x03\x03\x00\x7a\x02", Way::ToClient, 4433, Protocol::Tls),
        (b"\x15\x03\x01\x00\x02\x02\x28", Way::ToClient, 443, Protocol::Tls),
        (b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10\x01\x00\x80", Way::ToServer, 443, Protocol::Tls),
        (b"SSH-2.0-OpenSSH_9.6\r\n", Way::ToServer, 2222, Protocol::Ssh),
        (b"EHLO mail.example\r\n", Way::ToServer, 25, Protocol::Smtp),
        (b"220 mail.example ESMTP\r\n", Way::ToClient, 2525, Protocol::Smtp),
        (b"220 (vsFTPd 3.0.3)\r\n", Way::ToClient, 2121, Protocol::Ftp),
        (b"220 ready\r\n", Way::ToClient, 21, Protocol::Ftp),
        (b"USER anonymous\r\n", Way::ToServer, 21, Protocol::Ftp),
        (b"USER me\r\n", Way::ToServer, 110, Protocol::Pop3),
        (b"+OK ready\r\n", Way::ToClient, 110, Protocol::Pop3),
        (b"* OK IMAP4rev1 ready\r\n", Way::ToClient, 143, Protocol::Imap),
        (b"a1 CAPABILITY\r\n", Way::ToServer, 143, Protocol::Imap),
        (b"\0\0\0\x54\xfeSMB", Way::ToServer, 445, Protocol::Smb),
        (b"\0\0\0\x54\xffSMB", Way::ToClient, 445, Protocol::Smb),
        (b"\x05\x00\x0b\x03\x10\0\0\0\x48\0", Way::ToServer, 49152, Protocol::Dcerpc),
        (b"RFB 003.008\n", Way::ToClient, 5900, Protocol::Rfb),
        (b"\x03\0\0\x13\x0e\xe0\0\0\0\0\0", Way::ToServer, 3389, Protocol::Rdp),
        (b"\x10\x1a\0\x04MQTT\x04", Way::ToServer, 1883, Protocol::Mqtt),
        (b"\0\x1c\x12\x34\x01\0\0\x01\0\0\0\0\0\0", Way::ToServer, 53, Protocol::Dns),
        (b"\0\x01\0\0\0\x06\x01\x03", Way::ToServer, 502, Protocol::Modbus),
        (b"\x05\x64\x05\xc0\x01\0\0\0", Way::ToServer, 20000, Protocol::Dnp3),
        (b"\x65\0\x04\0\0\0\0\0\0\0\0\0", Way::ToServer, 44818, Protocol::Enip),
        (b"\0\0\0\x80\x6a\x7e", Way::ToServer, 88, Protocol::Krb5),
        (b"\xff\xfd\x18\xff\xfd\x20", Way::ToClient, 23, Protocol::Telnet),
        (b"\0\0\0\x08\x04\xd2\x16\x2f", Way::ToServer, 5432, Protocol::Pgsql),
        (b"\x30\x0c\x02\x01\x01\x60\x07", Way::ToServer, 389, Protocol::Ldap),
        (
            b"\x80\0\0\x28\x12\x34\x56\x78\0\0\0\0\0\0\0\x02\0\x01\x86\xa3\0\0\0\x03",
            Way::ToServer,
            2049,
            Protocol::Nfs,
        ),
    ];

    const DATAGRAMS: &[(&[u8], Way, u16, Protocol)] = &[
        (b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x01a\0\0\x01\0\x01", Way::ToServer, 53, Protocol::Dns),
        (b"\x12\x34\x81\x80\0\x01\0\x01\0\0\0\0\x01a\0\0\x01\0\x01", Way::ToClient, 53, Protocol::Dns),
        (b"\0\0\0\0\0\x01\0\0\0\0\0\0\x01a\0\0\x0c\0\x01", Way::ToServer, 5353, Protocol::Mdns),
        (b"d1:ad2:id20:aaaaaaaaaaaaaaaaaaaae1:q4:ping", Way::ToServer, 6881, Protocol::BittorrentDht),
        (b"INVITE sip:a@b.example SIP/2.0\r\n", Way::ToServer, 5060, Protocol::Sip),
        (b"SIP/2.0 200 OK\r\n", Way::ToClient, 5060, Protocol::Sip),
        (b"\0\x01file.bin\0octet\0", Way::ToServer, 69, Protocol::Tftp),
        (b"\x30\x29\x02\x01\x01\x04\x06public", Way::ToServer, 161, Protocol::Snmp),
        (b"\x6a\x81\x90\x30", Way::ToServer, 88, Protocol::Krb5),
    ];

    #[test]
    fn the_first_bytes_tell_the_protocol() {
        for (bytes, way, port, protocol) in STREAMS {
            assert_eq!(of_stream(bytes, *way, *port), Guess::Decided(*protocol), "{}", bytes.escape_ascii());
        }
        for (bytes, way, port, protocol) in DATAGRAMS {
            assert_eq!(
                of_datagram(bytes, *way, *port),
                Guess::Decided(*protocol),
                "{}",
                bytes.escape_ascii()
            );
        }
    }

    #[test]
    fn a_guess_is_never_taken_back_when_more_bytes_come() {
        for (bytes, way, port, protocol) in STREAMS {
            let mut more = bytes.to_vec();
            more.extend_from_slice(&[0x5a; 40]);
            for cut in 0..more.len() {
                let guess = of_stream(&more[..cut], *way, *port);
                let told = [Guess::Undecided, Guess::Decided(*protocol)];
                assert!(told.contains(&guess), "{cut} of {}: {guess:?}", bytes.escape_ascii());
            }
        }
    }

    #[test]
    fn noise_fails_at_once_and_a_line_without_an_end_at_the_bound() {
        assert_eq!(of_stream(&[0xee; 64], Way::ToServer, 4444), Guess::Failed);
        let endless = [b'Q'; GUESS_BYTES];
        assert_eq!(of_stream(&endless[1..], Way::ToServer, 80), Guess::Failed);
        assert_eq!(of_datagram(&[0xee; 64], Way::ToServer, 4444), Guess::Failed);
    }

    #[test]
    fn half_a_mark_is_no_guess_and_at_the_end_it_fails() {
        assert_eq!(of_stream(b"GE", Way::ToServer, 80), Guess::Undecided);
        let head = Head { bytes: b"GE", way: Way::ToServer, ports: Ports::default(), whole: true };
        assert_eq!(stream(&head), Guess::Failed);
    }
}
