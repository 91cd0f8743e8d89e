#!/usr/bin/env python3
"""Ordinary captures through `sluice inspect --encap none`: file formats, rules, repeatability, and broken files.

usage: captures.py SLUICE    exit 0 if all of it holds
"""
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import Raw
from scapy.utils import PcapNgWriter, RawPcapReader, RawPcapWriter, wrpcap

RULES = """\
drop tcp any any -> any 23 (msg:"no telnet"; sid:1;)
alert tcp any any -> [192.0.2.0/24,2001:db8:1::/48] 443 (msg:"web"; sid:2;)
pass udp any any <> any 53 (msg:"names"; sid:3;)
drop udp any any -> any any (msg:"no other datagrams"; sid:4;)
drop tcp any any -> any 80 (msg:"not judged yet"; content:"x"; foo:bar; sid:5;)
"""


def conversation(client, server, port):
    """A handshake, one segment each way, and a reset."""
    layer = IPv6 if ":" in client else IP
    there, back = layer(src=client, dst=server), layer(src=server, dst=client)
    return [there / TCP(sport=40000, dport=port, flags="S", seq=1),
            back / TCP(sport=port, dport=40000, flags="SA", seq=9, ack=2),
            there / TCP(sport=40000, dport=port, flags="PA", seq=2, ack=10) / Raw(b"hello"),
            back / TCP(sport=port, dport=40000, flags="PA", seq=10, ack=7) / Raw(b"world"),
            there / TCP(sport=40000, dport=port, flags="R", seq=7)]


TELNET = conversation("10.0.0.1", "192.0.2.1", 23)
WEB = conversation("10.0.0.1", "192.0.2.1", 443) + conversation("2001:db8::1", "2001:db8:1::1", 443)
NAMES = [IP(src="10.0.0.1", dst="192.0.2.53") / UDP(sport=5000, dport=53) / Raw(b"q" * 20),
         IP(src="192.0.2.53", dst="10.0.0.1") / UDP(sport=53, dport=5000) / Raw(b"a" * 20)]
NOISE = [IP(src="10.0.0.1", dst="192.0.2.9") / UDP(sport=5000, dport=9) / Raw(b"n" * 20),
         IP(src="10.0.0.1", dst="192.0.2.9") / ICMP()]
PACKETS = TELNET + WEB + NAMES + NOISE
DROPPED = len(TELNET) + 1
EXPECTED = {"received": len(PACKETS), "returned": len(PACKETS) - DROPPED, "dropped": {"policy": DROPPED},
            "injected": 0, "punted": 0, "flows": 6, "alerts": 4, "anomalies": {}}


def rebuilt(packet):
    """The packet with checksums of scapy's own."""
    packet = packet.copy()
    for layer in (IP, TCP, ICMP):
        if layer in packet:
            del packet[layer].chksum
    return IP(bytes(packet))


def inspect(sluice, capture, *more, status=0):
    ran = subprocess.run([sluice, "inspect", "--pcap", capture, "--json", *more], capture_output=True, text=True)
    assert ran.returncode == status, (capture, ran.returncode, ran.stderr)
    return json.loads(ran.stdout), ran.stderr


def formats(folder):
    """The same packets as Ethernet, behind a VLAN tag, as raw IP, and as pcapng."""
    framed = [Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / packet for packet in PACKETS]
    tagged = [Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / Dot1Q(vlan=7) / packet for packet in PACKETS]
    for name, packets in (("ethernet.pcap", framed), ("vlan.pcap", tagged), ("raw.pcap", PACKETS)):
        wrpcap(str(folder / name), packets, linktype=101 if name == "raw.pcap" else 1)
        yield folder / name, [bytes(packet) for packet in packets]
    with PcapNgWriter(str(folder / "ethernet.pcapng")) as writer:
        writer.write(framed)
    yield folder / "ethernet.pcapng", [bytes(packet) for packet in framed]


def main(sluice):
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        rules = folder / "local.rules"
        rules.write_text(RULES)
        written = list(formats(folder))
        for capture, records in written:
            outs = []
            for nth in ("first", "second"):
                out = folder / f"{nth}.pcap"
                summary, errors = inspect(sluice, capture, "--encap", "none", "--rules", rules, "--out", out)
                assert summary == EXPECTED, (capture.name, summary, EXPECTED)
                assert "local.rules:5:" in errors and "1 of 5 rules refused" in errors, errors
                outs.append(out.read_bytes())
            assert outs[0] == outs[1], f"{capture.name}: two runs differ"
            with RawPcapReader(str(folder / "first.pcap")) as returned:
                passed = [bytes(packet) for packet, _ in returned]
            telnet_and_noise = set(range(len(TELNET))) | {len(PACKETS) - 2}
            assert passed == [r for at, r in enumerate(records) if at not in telnet_and_noise], capture.name
            assert inspect(sluice, capture)[0]["returned"] == len(PACKETS), "auto takes it for what it is"

        rejecting = folder / "reject.rules"
        rejecting.write_text("rejectboth tcp any any -> any 23 (sid:1;)\nreject udp any any -> any any (sid:2;)\n")
        for capture, records in written:
            out = folder / "rejected.pcap"
            summary, _ = inspect(sluice, capture, "--encap", "none", "--rules", rejecting, "--out", out)
            assert (summary["injected"], summary["dropped"]) == (11, {"reject": 8}), (capture.name, summary)
            with RawPcapReader(str(out)) as sent:
                sent = [IP(packet[14:] if capture.name != "raw.pcap" else packet) for packet, _ in sent]
            told = [packet for packet in sent if packet.ttl == 64 and not packet.id]
            assert [packet for packet in told if TCP in packet][0][TCP].flags == "RA", told
            for packet in told:
                assert bytes(packet) == bytes(rebuilt(packet)), "a checksum is wrong"

        arp = folder / "arp.pcap"
        wrpcap(str(arp), [Ether() / ARP(pdst="10.0.0.1")], linktype=1)
        assert inspect(sluice, arp)[0]["punted"] == 1
        with RawPcapWriter(str(folder / "usb.pcap"), linktype=220) as writer:
            writer.write_header(None)
        refused = subprocess.run([sluice, "inspect", "--pcap", folder / "usb.pcap"], capture_output=True, text=True)
        assert refused.returncode == 1 and "220" in refused.stderr, refused.stderr

        chance = random.Random(6081)
        whole = [capture.read_bytes() for capture, _ in written]
        broken = folder / "broken"
        for turn in range(60):
            file = bytearray(chance.choice(whole))
            for _ in range(chance.randint(1, 8)):
                file[chance.randrange(len(file))] = chance.randrange(256)
            broken.write_bytes(file[:chance.randint(0, len(file))] if turn % 2 else file)
            ran = subprocess.run([sluice, "inspect", "--pcap", broken, "--json"], capture_output=True, text=True, timeout=20)
            assert ran.returncode in (0, 1), (turn, ran.returncode, ran.stderr)
            if ran.stdout:
                parts = json.loads(ran.stdout)
                assert parts["received"] == parts["returned"] + parts["punted"] + sum(parts["dropped"].values()), parts
    print("captures of every format are judged alike, twice alike, and broken ones end with a reason")


if __name__ == "__main__":
    main(sys.argv[1])
