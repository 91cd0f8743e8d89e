//! The keywords of the language: how each is read, and which this appliance judges.
//!
//! This is the one list. A rule with a keyword that is not marked as judged is parsed, so that its mistakes are told,
//! and then refused, so that nothing is loaded weaker than it reads. Whoever teaches the appliance to judge a keyword
//! marks it here.

use crate::fault::{Fault, Why, nearest, quoted};
use crate::option::app::AppTest;
use crate::option::bits::{Flowbits, Flowint, Xbits};
use crate::option::buffer::{ALIASES, Buffer, MODIFIERS};
use crate::option::bytes::{ByteExtract, ByteJump, ByteTest};
use crate::option::content::Content;
use crate::option::draft::{Draft, Meaning};
use crate::option::flow::{FlowAmount, FlowSize};
use crate::option::limit::{DetectionFilter, Threshold};
use crate::option::math::{Base64Decode, ByteMath};
use crate::option::packet::PacketTest;
use crate::option::raw::RawOption;
use crate::option::readers::{
    absent, alone, app, bsize, choose_buffer, content_in, done, fast_pattern, flow_age, flow_size, isdataat,
    mark, mark_or_noalert, move_to_buffer, opaque, packet, packet_number, pcre, place, plain_transform,
    rawbytes, urilen,
};
use crate::option::sets::{Datarep, Dataset, Geoip, Iprep};
use crate::option::tag::Tag;
use crate::option::transform::Transform;
use crate::option::{PayloadTest, RuleOption};

type Read = fn(&mut Draft, &RawOption<'_>) -> Result<Meaning, Fault>;

/// How far `distance` and `within` reach, as with the reference.
const REACH: i64 = 1 << 20;

/// Keywords that are judged, and how each is read.
const JUDGED: &[(&str, Read)] = &[
    ("msg", |draft, option| draft.about.take_msg(option).map(done)),
    ("sid", |draft, option| draft.about.take_sid(option).map(done)),
    ("gid", |draft, option| draft.about.take_gid(option).map(done)),
    ("rev", |draft, option| draft.about.take_rev(option).map(done)),
    ("classtype", |draft, option| draft.about.take_classtype(option).map(done)),
    ("priority", |draft, option| draft.about.take_priority(option).map(done)),
    ("reference", |draft, option| draft.about.take_reference(option).map(done)),
    ("metadata", |draft, option| draft.about.take_metadata(option).map(done)),
    ("target", |draft, option| draft.about.take_target(option).map(done)),
    // What a rule requires was checked before its first option was read.
    ("requires", |_, _| Ok(Meaning::Done)),
    ("prefilter", |_, option| alone(option, RuleOption::Prefilter)),
    // The payload.
    ("content", |_, option| Content::parse(option).map(PayloadTest::Content).map(Meaning::Test)),
    ("uricontent", |_, option| content_in(Buffer::HttpUri, option)),
    ("tls.fingerprint", |_, option| content_in(Buffer::TlsCertFingerprint, option)),
    ("tls.issuerdn", |_, option| content_in(Buffer::TlsCertIssuer, option)),
    ("tls.subject", |_, option| content_in(Buffer::TlsCertSubject, option)),
    ("nocase", |draft, option| mark(draft, option, |content| &mut content.nocase)),
    ("startswith", |draft, option| mark(draft, option, |content| &mut content.startswith)),
    ("endswith", |draft, option| mark(draft, option, |content| &mut content.endswith)),
    ("rawbytes", rawbytes),
    ("offset", |draft, option| place(draft, option, 0..=65_535, |content| &mut content.offset)),
    ("depth", |draft, option| place(draft, option, 1..=65_535, |content| &mut content.depth)),
    ("distance", |draft, option| place(draft, option, -REACH..=REACH, |content| &mut content.distance)),
    ("within", |draft, option| place(draft, option, 1..=REACH, |content| &mut content.within)),
    ("fast_pattern", fast_pattern),
    ("pcre", pcre),
    ("bsize", bsize),
    ("urilen", urilen),
    ("isdataat", isdataat),
    ("absent", absent),
    ("byte_test", |draft, option| {
        ByteTest::parse(option, &draft.names).map(PayloadTest::ByteTest).map(Meaning::Test)
    }),
    ("byte_jump", |draft, option| {
        ByteJump::parse(option, &draft.names).map(PayloadTest::ByteJump).map(Meaning::Test)
    }),
    ("byte_extract", |draft, option| {
        ByteExtract::parse(option, &mut draft.names).map(PayloadTest::ByteExtract).map(Meaning::Test)
    }),
    ("byte_math", |draft, option| {
        ByteMath::parse(option, &mut draft.names).map(PayloadTest::ByteMath).map(Meaning::Test)
    }),
    ("base64_decode", |_, option| {
        Base64Decode::parse(option).map(PayloadTest::Base64Decode).map(Meaning::Test)
    }),
    // What is done to a buffer.
    ("dotprefix", plain_transform),
    ("to_lowercase", plain_transform),
    ("to_uppercase", plain_transform),
    ("strip_whitespace", plain_transform),
    ("compress_whitespace", plain_transform),
    ("url_decode", plain_transform),
    ("header_lowercase", plain_transform),
    ("strip_pseudo_headers", plain_transform),
    ("domain", plain_transform),
    ("tld", plain_transform),
    ("to_md5", plain_transform),
    ("to_sha1", plain_transform),
    ("to_sha256", plain_transform),
    ("xor", |_, option| Transform::xor(option).map(Meaning::Transform)),
    ("pcrexform", |_, option| Transform::pcrexform(option).map(Meaning::Transform)),
    ("from_base64", |_, option| Transform::from_base64(option).map(Meaning::Transform)),
    // The flow.
    ("flow", |draft, option| draft.flow(option).map(done)),
    ("stream_size", |_, option| FlowSize::stream(option).map(RuleOption::FlowSize).map(Meaning::Option)),
    ("flow.pkts", |_, option| flow_size(option, FlowAmount::Packets)),
    ("flow.bytes", |_, option| flow_size(option, FlowAmount::Bytes)),
    ("flow.age", flow_age),
    ("flowbits", |_, option| Flowbits::parse(option).map(|bits| mark_or_noalert(bits, RuleOption::Flowbits))),
    ("flowint", |_, option| Flowint::parse(option).map(RuleOption::Flowint).map(Meaning::Option)),
    ("xbits", |_, option| Xbits::parse(option).map(|bits| mark_or_noalert(bits, RuleOption::Xbits))),
    ("hostbits", |_, option| Xbits::host(option).map(|bits| mark_or_noalert(bits, RuleOption::Xbits))),
    // What is told.
    ("threshold", |_, option| Threshold::parse(option).map(RuleOption::Threshold).map(Meaning::Option)),
    ("detection_filter", |_, option| {
        DetectionFilter::parse(option).map(RuleOption::DetectionFilter).map(Meaning::Option)
    }),
    ("tag", |_, option| Tag::parse(option).map(RuleOption::Tag).map(Meaning::Option)),
    ("noalert", |_, option| alone(option, RuleOption::NoAlert)),
    ("alert", |_, option| alone(option, RuleOption::Alert)),
    // The packet.
    ("dsize", packet_number),
    ("ttl", packet_number),
    ("id", packet_number),
    ("tos", packet_number),
    ("fragoffset", packet_number),
    ("seq", packet_number),
    ("ack", packet_number),
    ("window", packet_number),
    ("tcp.mss", packet_number),
    ("tcp.wscale", packet_number),
    ("itype", packet_number),
    ("icode", packet_number),
    ("icmp_id", packet_number),
    ("icmp_seq", packet_number),
    ("icmpv6.mtu", packet_number),
    ("ip_proto", |_, option| PacketTest::ip_proto(option).map(packet)),
    ("sameip", |_, option| alone(option, RuleOption::Packet(PacketTest::SameIp))),
    ("ipopts", |_, option| PacketTest::ip_option(option).map(packet)),
    ("fragbits", |_, option| PacketTest::fragment_bits(option).map(packet)),
    ("flags", |_, option| PacketTest::tcp_flags(option).map(packet)),
    ("tcp.flags", |_, option| PacketTest::tcp_flags(option).map(packet)),
    // The application protocol.
    ("app-layer-protocol", |_, option| AppTest::protocol(option).map(app)),
    ("ssl_state", |_, option| AppTest::ssl_state(option).map(app)),
    ("ssl_version", |_, option| AppTest::ssl_version(option).map(app)),
    ("tls.version", |_, option| AppTest::tls_version(option).map(app)),
    ("dns.opcode", |_, option| AppTest::dns(option, 15, AppTest::DnsOpcode).map(app)),
    ("dns.rcode", |_, option| AppTest::dns(option, 65_535, AppTest::DnsRcode).map(app)),
    ("dns.rrtype", |_, option| AppTest::dns(option, 65_535, AppTest::DnsRrtype).map(app)),
    // Sets that stand outside the rule.
    ("dataset", |_, option| Dataset::parse(option).map(PayloadTest::Dataset).map(Meaning::Test)),
    ("datarep", |_, option| Datarep::parse(option).map(PayloadTest::Datarep).map(Meaning::Test)),
    ("geoip", |_, option| Geoip::parse(option).map(RuleOption::Geoip).map(Meaning::Option)),
    ("iprep", |_, option| Iprep::parse(option).map(RuleOption::Iprep).map(Meaning::Option)),
];

/// Keywords of the language that are known by name alone.
const OPAQUE: &[&str] = &[
    "app-layer-event",
    "asn1",
    "aws_domain_category",
    "aws_url_category",
    "bypass",
    "cip_service",
    "dce_iface",
    "dce_opnum",
    "dce_stub_data",
    "decode-event",
    "dhcp.leasetime",
    "dhcp.rebinding_time",
    "dhcp.renewal_time",
    "dnp3_func",
    "dnp3_ind",
    "dnp3_obj",
    "dnp3_data",
    "engine-event",
    "enip_command",
    "fileext",
    "filemagic",
    "filemd5",
    "filesha1",
    "filesha256",
    "filesize",
    "filestore",
    "ftpbounce",
    "ftpdata_command",
    "ftp.command",
    "ftp.command_data",
    "ftp.reply",
    "ftp.completion_code",
    "http2.frametype",
    "http2.errorcode",
    "http2.header_name",
    "ike.init_spi",
    "krb5_msg_type",
    "krb5_cname",
    "krb5_sname",
    "krb5_err_code",
    "l3_proto",
    "lua",
    "luaxform",
    "modbus",
    "mqtt.type",
    "nfs_procedure",
    "nfs.version",
    "replace",
    "rfb.name",
    "rfb.secresult",
    "rpc",
    "sip.method",
    "sip.uri",
    "smb.named_pipe",
    "smb.ntlmssp_domain",
    "smb.ntlmssp_user",
    "smb.share",
    "smb.version",
    "smtp.helo",
    "smtp.mail_from",
    "smtp.rcpt_to",
    "snmp.community",
    "snmp.pdu_type",
    "snmp.version",
    "ssh.hassh",
    "ssh.hassh.server",
    "ssh.hassh.string",
    "ssh.hassh.server.string",
    "ssh.protoversion",
    "ssh.softwareversion",
    "stream-event",
    "tls.cert_chain_len",
    "tls.store",
    "tls_cert_expired",
    "tls_cert_valid",
    "tls_cert_notbefore",
    "tls_cert_notafter",
    "vlan.id",
    "websocket.payload",
    "websocket.opcode",
];

/// Reads one option into the draft. Gives back whether the appliance judges its keyword.
pub(crate) fn read(draft: &mut Draft, option: &RawOption<'_>) -> Result<bool, Fault> {
    let name = option.name();
    let listed =
        |list: &'static [(&str, Read)]| list.iter().find(|(known, _)| *known == name).map(|(_, read)| *read);
    let (meaning, judged) = if let Some(read) = listed(JUDGED) {
        (read(draft, option)?, true)
    } else if let Some(buffer) = Buffer::named(&name) {
        (choose_buffer(draft, option, buffer)?, buffer.is_judged())
    } else if let Some(buffer) = Buffer::modifier(&name) {
        (move_to_buffer(draft, option, buffer)?, buffer.is_judged())
    } else if let Some(keyword) = OPAQUE.iter().find(|known| **known == name) {
        (opaque(option, keyword), false)
    } else {
        let suggestion = nearest(&name, names());
        return Err(Fault::new(option.at, Why::Keyword(quoted(option.keyword))).suggest(suggestion));
    };
    draft.take(meaning, option.at)?;
    Ok(judged)
}

/// Whether the appliance judges a keyword.
pub(crate) fn is_judged(name: &str) -> bool {
    let buffer = Buffer::named(name).or_else(|| Buffer::modifier(name));
    JUDGED.iter().any(|(known, _)| *known == name) || buffer.is_some_and(Buffer::is_judged)
}

/// Every keyword of the language, whether judged or not.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    let tables = JUDGED.iter().map(|(name, _)| *name);
    let buffers = Buffer::ALL.into_iter().map(Buffer::name);
    let aliases = ALIASES.iter().map(|(name, _)| *name).chain(MODIFIERS.iter().map(|(name, _)| *name));
    tables.chain(buffers).chain(aliases).chain(OPAQUE.iter().copied())
}

/// The keywords that the appliance judges.
pub fn judged() -> impl Iterator<Item = &'static str> {
    JUDGED.iter().map(|(name, _)| *name)
}
