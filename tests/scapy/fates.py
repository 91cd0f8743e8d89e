#!/usr/bin/env python3
"""The table of fates, with frames that scapy built: each row goes through `sluice inspect` alone and then all together.

usage: fates.py SLUICE    exit 0 if each frame meets its fate and what is returned is right to the byte
"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from scapy.contrib.geneve import GENEVE, GeneveOptions
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop
from scapy.layers.ipsec import ESP
from scapy.layers.l2 import ARP, GRE, Ether
from scapy.layers.sctp import SCTP
from scapy.packet import Raw
from scapy.utils import RawPcapReader, RawPcapWriter

NODE, OURS = "10.1.1.5", "10.1.2.11"
NODE_MAC, OUR_MAC = "0a:00:00:00:00:01", "0a:00:00:00:00:02"
ENDPOINT = bytes.fromhex("0123456789abcdef")


def option(kind, data, option_class=0x0108, length=None):
    return GeneveOptions(classid=option_class, type=kind, length=length, data=data)


def options(*, endpoint=ENDPOINT, attachment=bytes(8), cookie=b"\x5e\xed\x12\x34"):
    given = [(1, endpoint), (2, attachment), (3, cookie)]
    return [option(kind, data) for kind, data in given if data is not None]


def frame(inner, opts=None, proto=None, vni=0, ip=None, udp=None, geneve=None):
    """One frame as GWLB sends it; the keyword arguments override single fields of a layer."""
    raw = bytes(inner)
    if proto is None:
        proto = 0x86DD if raw[:1] and raw[0] >> 4 == 6 else 0x0800
    outer = IP(**{"src": NODE, "dst": OURS, "ttl": 254, "flags": "DF", "id": 0, **(ip or {})})
    datagram = UDP(**{"sport": 50123, "dport": 6081, "chksum": 0, **(udp or {})})
    header = GENEVE(**{"proto": proto, "vni": vni, "options": options() if opts is None else opts, **(geneve or {})})
    return bytes(Ether(src=NODE_MAC, dst=OUR_MAC, type=0x0800) / outer / datagram / header / Raw(raw))


def summed(inner, spoil=0):
    """A frame with a UDP checksum, right or `spoil`ed by that much."""
    built = bytearray(frame(inner, udp={"chksum": None}))
    built[40] ^= spoil
    return bytes(built)


def cut(whole, by):
    return whole[:-by]


SYN = IP(src="10.1.2.10", dst="192.0.2.80") / TCP(sport=49152, dport=443, flags="S", options=[("MSS", 1460)])
SYN6 = IPv6(src="2001:db8::10", dst="2001:db8:1::80") / TCP(sport=49152, dport=443, flags="S")
QUERY = IP(src="10.1.2.10", dst="192.0.2.53") / UDP(sport=5353, dport=53) / Raw(b"\x12\x34\x01\x00" + bytes(8))
ERROR = IP(src="192.0.2.80", dst="10.1.2.10") / ICMP(type=3, code=4) / bytes(SYN)[:28]
LIE = bytearray(bytes(SYN))
LIE[2:4] = (9000).to_bytes(2, "big")
UNKNOWN = option(0x11, b"\0\0\0\0", option_class=0x0999)
CRITICAL = option(0x91, b"\0\0\0\0", option_class=0x0999)
BAD_SUM = IP(src="10.1.2.10", dst="192.0.2.80", chksum=0x1234) / TCP(sport=1, dport=2)

RETURNED, PUNTED = "returned", "punted"
ROWS = [
    ("TCP over IPv4", frame(SYN), RETURNED),
    ("TCP over IPv6", frame(SYN6), RETURNED),
    ("UDP", frame(QUERY), RETURNED),
    ("ICMP echo inside", frame(IP(src="10.1.2.10", dst="192.0.2.80") / ICMP() / b"ping"), RETURNED),
    ("ICMPv6 echo inside", frame(IPv6(src="2001:db8::10", dst="2001:db8:1::80") / ICMPv6EchoRequest()), RETURNED),
    ("options in reverse order", frame(SYN, opts=options()[::-1]), RETURNED),
    ("an unknown option that is not critical", frame(SYN, opts=[UNKNOWN] + options()), RETURNED),
    ("an unknown option between", frame(SYN, opts=options()[:1] + [UNKNOWN] + options()[1:]), RETURNED),
    ("no attachment id", frame(SYN, opts=options(attachment=None)), RETURNED),
    ("any VNI", frame(SYN, vni=0xABCDEF), RETURNED),
    ("UDP source port 0", frame(SYN, udp={"sport": 0}), RETURNED),
    ("a right UDP checksum", summed(SYN), RETURNED),
    ("reserved bits set", frame(SYN, geneve={"reserved": 0x3F, "reserved2": 0xFF}), RETURNED),
    ("trailing padding", frame(SYN) + bytes(7), RETURNED),
    ("8500 bytes inside", frame(IP(src="10.1.2.10", dst="192.0.2.80") / TCP(flags="A") / Raw(bytes(8460))), RETURNED),
    ("a first fragment inside", frame(IP(src="10.1.2.10", dst="192.0.2.80", flags="MF") / UDP(len=2000) / Raw(bytes(1024))), RETURNED),
    ("a later fragment inside", frame(IP(src="10.1.2.10", dst="192.0.2.80", id=2, frag=2, proto=17) / Raw(bytes(16))), RETURNED),
    ("a later IPv6 fragment inside",
     frame(IPv6(src="2001:db8::10", dst="2001:db8:1::80") / IPv6ExtHdrFragment(offset=8, nh=17) / Raw(bytes(16))), RETURNED),
    ("an IPv6 extension header inside",
     frame(IPv6(src="2001:db8::10", dst="2001:db8:1::80") / IPv6ExtHdrHopByHop() / TCP(flags="S")), RETURNED),
    ("an ICMP error inside", frame(ERROR), RETURNED),
    ("ESP inside", frame(IP(src="10.1.2.10", dst="192.0.2.80") / ESP(spi=1, seq=1, data=bytes(16))), RETURNED),
    ("GRE inside", frame(IP(src="10.1.2.10", dst="192.0.2.80") / GRE() / bytes(20)), RETURNED),
    ("SCTP inside", frame(IP(src="10.1.2.10", dst="192.0.2.80") / SCTP(sport=1, dport=2) / bytes(8)), RETURNED),
    ("an unknown protocol inside", frame(IP(src="10.1.2.10", dst="192.0.2.80", proto=253) / Raw(bytes(8))), RETURNED),
    ("GENEVE version 1", frame(SYN, geneve={"version": 1}), "geneve-version"),
    ("a control message", frame(SYN, geneve={"oam": 1}), "geneve-control"),
    ("an unknown critical option", frame(SYN, opts=options() + [CRITICAL]), "option-critical"),
    ("an option that runs past the options",
     frame(SYN, opts=options()[:2] + [option(3, b"\x5e\xed\x12\x34", length=9)]), "option-lengths"),
    ("options that run past the frame", frame(b"", geneve={"optionlen": 63}), "geneve-past-end"),
    ("no endpoint id", frame(SYN, opts=options(endpoint=None)), "endpoint-missing"),
    ("an endpoint id of 4 bytes", frame(SYN, opts=options(endpoint=bytes(4))), "endpoint-length"),
    ("no cookie", frame(SYN, opts=options(cookie=None)), "cookie-missing"),
    ("a cookie of 8 bytes", frame(SYN, opts=options(cookie=bytes(8))), "cookie-length"),
    ("Ethernet inside", frame(bytes(Ether() / SYN), proto=0x6558), "geneve-protocol-type"),
    ("a wrong outer IPv4 checksum", frame(SYN, ip={"chksum": 0x1234}), "outer-ipv4-checksum"),
    ("a wrong UDP checksum", summed(SYN, spoil=1), "outer-udp-checksum"),
    ("an outer first fragment", frame(SYN, ip={"flags": "MF"}), "outer-fragment"),
    ("an outer later fragment", frame(SYN, ip={"flags": 0, "frag": 3}), "outer-fragment"),
    ("an outer length beyond the frame", cut(frame(SYN), 10), "outer-ipv4-length"),
    ("an inner packet that is cut short", frame(bytes(SYN)[:-8]), "inner-malformed-truncated"),
    ("an inner packet of 3 bytes", frame(b"\x45\0\0", proto=0x0800), "inner-malformed-truncated"),
    ("an inner length that lies", frame(bytes(LIE)), "inner-malformed-truncated"),
    ("an inner version 5", frame(b"\x55" + bytes(SYN)[1:], proto=0x0800), "inner-malformed-version"),
    ("IPv6 announced, IPv4 inside", frame(SYN, proto=0x86DD), "inner-malformed-version"),
    ("ARP for us", bytes(Ether(src=NODE_MAC, dst="ff:ff:ff:ff:ff:ff") / ARP(psrc=NODE, pdst=OURS)), PUNTED),
    ("ping for us", bytes(Ether(src=NODE_MAC, dst=OUR_MAC) / IP(src=NODE, dst=OURS) / ICMP()), PUNTED),
    ("a health check", bytes(Ether(src=NODE_MAC, dst=OUR_MAC) / IP(src=NODE, dst=OURS) / TCP(dport=80)), PUNTED),
    ("SSH for us", bytes(Ether(src=NODE_MAC, dst=OUR_MAC) / IP(src=NODE, dst=OURS) / TCP(dport=22)), "not-ours"),
    ("another UDP port", frame(SYN, udp={"dport": 4789}), "not-ours"),
    ("IPv6 outside", bytes(Ether(src=NODE_MAC, dst=OUR_MAC) / IPv6() / UDP(dport=6081)), "not-ours"),
    ("an Ethernet header cut short", b"\x0a\0\0\0\0\x02\x0a\0\0", "not-ours"),
    ("LLDP", bytes(Ether(src=NODE_MAC, dst="01:80:c2:00:00:0e", type=0x88CC) / bytes(50)), "not-ours"),
]


def reflected(built):
    """The frame as GWLB must get it back: MACs and outer addresses swapped, nothing else."""
    return built[6:12] + built[0:6] + built[12:26] + built[30:34] + built[26:30] + built[34:]


def inspect(sluice, frames, folder):
    """Run the command over `frames`; its summary and the frames that it would send."""
    with RawPcapWriter(str(folder / "in.pcap"), linktype=1) as capture:
        capture.write_header(None)
        for built in frames:
            capture.write_packet(built, sec=1, usec=0, caplen=len(built), wirelen=len(built))
    ran = subprocess.run(
        [sluice, "inspect", "--pcap", folder / "in.pcap", "--encap", "geneve", "--out", folder / "out.pcap", "--json"],
        check=True, capture_output=True, text=True)
    with RawPcapReader(str(folder / "out.pcap")) as returned:
        return json.loads(ran.stdout), [packet for packet, _ in returned]


def fate(summary):
    """The single fate of a run over one frame."""
    assert summary["received"] == 1, summary
    fates = [RETURNED] * summary["returned"] + [PUNTED] * summary["punted"]
    fates += [reason for reason, count in summary["dropped"].items() for _ in range(count)]
    assert len(fates) == 1, summary
    return fates[0]


def main(sluice):
    wrong = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name, built, expected in ROWS:
            summary, returned = inspect(sluice, [built], folder)
            if fate(summary) != expected:
                wrong.append(f"{name}: {fate(summary)}, not {expected}")
            if returned != ([reflected(built)] if expected == RETURNED else []):
                wrong.append(f"{name}: what would be sent differs from what must be")
        together = [built for _, built, _ in ROWS]
        summary, returned = inspect(sluice, together, folder)
        if returned != [reflected(built) for _, built, expected in ROWS if expected == RETURNED]:
            wrong.append("all together: the returned frames differ, or their order")
        if summary["received"] != summary["returned"] + summary["punted"] + sum(summary["dropped"].values()):
            wrong.append(f"all together: the parts do not add up: {summary}")
    print("\n".join(wrong) if wrong else f"{len(ROWS)} fates hold")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
