//! Marks of the protocols that begin with words.

use policy::{Protocol, Way};

use super::{Fit, Head, Mark};

/// In the order in which they are asked: those whose first word is another's, too, come first.
pub(super) const MARKS: &[Mark] = &[
    (Protocol::Ssh, ssh),
    (Protocol::Rfb, rfb),
    (Protocol::Http2, http2),
    (Protocol::Sip, sip),
    (Protocol::Smtp, smtp),
    (Protocol::Pop3, pop3),
    (Protocol::Ftp, ftp),
    (Protocol::Imap, imap),
    (Protocol::Http1, http1),
];

/// RFC 4253 §4.2.
fn ssh(head: &Head<'_>) -> Fit {
    head.has(0, b"SSH-")
}

/// RFC 6143 §7.1.1.
fn rfb(head: &Head<'_>) -> Fit {
    head.has(0, b"RFB 00")
}

/// The client's preface (RFC 9113 §3.4). A server's first frame says too little by itself.
fn http2(head: &Head<'_>) -> Fit {
    match head.way {
        Way::ToServer => head.has(0, b"PRI * HTTP/2.0\r\n"),
        Way::ToClient => Fit::No,
    }
}

/// Methods of HTTP (IANA, "HTTP Method Registry") that need no further look at the line.
const METHODS: &[&[u8]] = &[
    b"GET",
    b"POST",
    b"HEAD",
    b"PUT",
    b"DELETE",
    b"OPTIONS",
    b"TRACE",
    b"CONNECT",
    b"PATCH",
    b"PROPFIND",
    b"PROPPATCH",
    b"MKCOL",
    b"MKACTIVITY",
    b"COPY",
    b"MOVE",
    b"LOCK",
    b"UNLOCK",
    b"REPORT",
    b"CHECKOUT",
    b"MERGE",
    b"SEARCH",
];

/// RFC 9112 §3 and §4: a known method and a space, or any word and a line that ends in the protocol's name.
fn http1(head: &Head<'_>) -> Fit {
    if head.way == Way::ToClient {
        return head.has(0, b"HTTP/");
    }
    let word = head.bytes.iter().position(|byte| !byte.is_ascii_alphabetic() && !b"-_".contains(byte));
    let Some(length) = word else {
        return if head.bytes.len() <= 32 { Fit::Maybe } else { Fit::No };
    };
    let method = head.bytes.get(..length).unwrap_or_default();
    if length == 0 || length > 32 || !matches!(head.bytes.get(length), Some(b' ' | b'\t')) {
        return Fit::No;
    }
    if METHODS.contains(&method) {
        return Fit::Yes;
    }
    head.line().map_or(Fit::Maybe, |line| Fit::when(line.windows(7).any(|part| part == b" HTTP/1")))
}

/// RFC 3261 §7.1 and §7.2; methods of IANA, "Session Initiation Protocol Parameters".
pub(super) fn sip(head: &Head<'_>) -> Fit {
    const SIP: &[&[u8]] = &[
        b"INVITE ",
        b"REGISTER ",
        b"OPTIONS ",
        b"ACK ",
        b"BYE ",
        b"CANCEL ",
        b"SUBSCRIBE ",
        b"NOTIFY ",
        b"PUBLISH ",
        b"INFO ",
        b"MESSAGE ",
        b"REFER ",
        b"UPDATE ",
        b"PRACK ",
    ];
    let request = SIP.iter().map(|method| {
        let schemes: [&[u8]; 3] = [b"sip:", b"sips:", b"tel:"];
        Fit::all([head.has(0, method), Fit::any(schemes.map(|scheme| head.says(method.len(), scheme)))])
    });
    Fit::any(request.chain([head.has(0, b"SIP/2.0 ")]))
}

/// What a greeting `220 …` says: the words of its first line, or the port.
fn greeting(head: &Head<'_>, words: &[&[u8]], others: &[&[u8]], ports: &[u16]) -> Fit {
    let start = Fit::all([head.has(0, b"220"), head.byte(3, |byte| byte == b' ' || byte == b'-')]);
    if start != Fit::Yes {
        return start;
    }
    let Some(line) = head.line() else { return Fit::Maybe };
    let line = line.to_ascii_uppercase();
    let says = |words: &[&[u8]]| words.iter().any(|word| line.windows(word.len()).any(|part| part == *word));
    let at_port = ports.iter().any(|port| head.ports.either(*port));
    Fit::when(says(words) || at_port && !says(others))
}

const SMTP_WORDS: &[&[u8]] = &[b"SMTP", b"POSTFIX", b"EXIM"];
const FTP_WORDS: &[&[u8]] = &[b"FTP", b"220 ("];

/// RFC 5321 §3.1, §4.1.1.1.
fn smtp(head: &Head<'_>) -> Fit {
    match head.way {
        Way::ToServer => {
            let words: [&[u8]; 3] = [b"EHLO ", b"HELO ", b"LHLO "];
            Fit::any(words.map(|word| head.says(0, word)))
        }
        Way::ToClient => greeting(head, SMTP_WORDS, FTP_WORDS, &[25, 465, 587]),
    }
}

/// RFC 959 §5.4; RFC 4217 §4.
fn ftp(head: &Head<'_>) -> Fit {
    match head.way {
        Way::ToServer => {
            let words: [&[u8]; 7] =
                [b"USER ", b"PASS ", b"PORT ", b"FEAT\r\n", b"SYST\r\n", b"AUTH TLS", b"AUTH SSL"];
            Fit::any(words.map(|word| head.says(0, word)))
        }
        Way::ToClient => greeting(head, FTP_WORDS, SMTP_WORDS, &[21]),
    }
}

/// RFC 1939 §4, §7; RFC 2449 §5. `USER` and `PASS` are POP3's at its port, FTP's elsewhere.
fn pop3(head: &Head<'_>) -> Fit {
    match head.way {
        Way::ToServer => {
            let own: [&[u8]; 3] = [b"CAPA\r\n", b"APOP ", b"STLS\r\n"];
            let shared: [&[u8]; 3] = [b"USER ", b"PASS ", b"AUTH "];
            let at_port = head.ports.either(110);
            let shared = shared.into_iter().filter(|_| at_port);
            Fit::any(own.into_iter().chain(shared).map(|word| head.says(0, word)))
        }
        Way::ToClient => head.has(0, b"+OK "),
    }
}

/// RFC 9051 §6.1, §6.2, §7.1: a greeting, or a tag and a command.
fn imap(head: &Head<'_>) -> Fit {
    if head.way == Way::ToClient {
        let greetings: [&[u8]; 3] = [b"* OK ", b"* PREAUTH ", b"* BYE "];
        return Fit::any(greetings.map(|greeting| head.says(0, greeting)));
    }
    let tag = head.bytes.iter().position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'.');
    let Some(length) = tag else {
        return if head.bytes.len() <= 16 { Fit::Maybe } else { Fit::No };
    };
    if length == 0 || length > 16 || head.bytes.get(length) != Some(&b' ') {
        return Fit::No;
    }
    let commands: [&[u8]; 6] =
        [b"CAPABILITY\r\n", b"LOGIN ", b"AUTHENTICATE ", b"STARTTLS\r\n", b"ID (", b"ID NIL"];
    Fit::any(commands.map(|command| head.says(length + 1, command)))
}
