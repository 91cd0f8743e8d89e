#!/usr/bin/env python3
"""What holding a hello costs: the time from a TCP connect to the first byte of the server's hello, in the lab.

    sudo benches/hold.py [--bin FOLDER] [--rounds N]

The client's hello takes four segments. Connections go to two ports in turns: on one a rule drops by name, so that three of
the four segments are held; on the other the same rule alerts, so that the hello is read, but nothing is held.
"""

import argparse
import os
import pathlib
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time

ADDRESS = "203.0.113.10"
HELD, PASSED = 443, 8443
RULES = f"""\
drop  tls any any -> any {HELD} (tls.sni; content:"denied.example"; sid:1;)
alert tls any any -> any {PASSED} (tls.sni; content:"denied.example"; sid:2;)
"""


def hello():
    """A hello for an allowed name, longer than three segments."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols([f"{nth}{'p' * 240}" for nth in range(10, 30)])
    out = ssl.MemoryBIO()
    tls = context.wrap_bio(ssl.MemoryBIO(), out, server_hostname="allowed.example")
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        return out.read()


def measure(rounds):
    """Runs where the application is. Microseconds for each port, printed."""
    words, times = hello(), {HELD: [], PASSED: []}
    for port in [HELD, PASSED] * rounds:
        with socket.socket() as client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            begun = time.perf_counter_ns()
            client.connect((ADDRESS, port))
            client.sendall(words)
            client.recv(1)
            times[port].append((time.perf_counter_ns() - begun) / 1000)
    for port, what in (HELD, "held"), (PASSED, "not held"):
        cuts = statistics.quantiles(times[port], n=100)
        print(f"{what:9} p50 {cuts[49]:8.1f} us  p90 {cuts[89]:8.1f} us  p99 {cuts[98]:8.1f} us")
    pairs = [held - passed for held, passed in zip(times[HELD], times[PASSED])]
    print(f"holding {len(words)} bytes adds {statistics.median(pairs):.1f} us (p50 of {rounds} pairs)")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--bin", default="target/release", help="where sluice and gwlb-lab are")
    arguments.add_argument("--rounds", type=int, default=1000)
    arguments.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    wanted = arguments.parse_args()
    if wanted.measure:
        return measure(wanted.rounds)
    with tempfile.TemporaryDirectory() as folder:
        in_lab(pathlib.Path(folder), wanted)


def in_lab(folder, wanted):
    """Raises a lab, measures in it, and takes it down."""
    os.environ["GWLB_LAB_DIR"] = f"{folder}/lab"

    def lab(*words, start=subprocess.check_output):
        return start([f"{wanted.bin}/gwlb-lab", *map(str, words)])

    def start(words):
        return subprocess.Popen(words, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)

    (folder / "names.rules").write_text(RULES)
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", folder / "key.pem"]
    make = ["openssl", "req", "-x509", *key, "-subj", "/CN=allowed.example", "-out", folder / "cert.pem"]
    subprocess.run(make, check=True, stderr=subprocess.DEVNULL)
    up = ["up", "--prefix=holdcost", "--port=4660", "--appliances=1", "--time-scale=10"]
    lab(*up, f"--rules={folder}/names.rules")
    servers = []
    try:
        lab("tutorial", "--quick")
        while b" healthy" not in lab("status"):
            time.sleep(0.5)
        for port in HELD, PASSED:
            serve = ["openssl", "s_server", "-quiet", "-key", folder / "key.pem", "-cert", folder / "cert.pem"]
            words = ["exec", "client", "--", *serve, "-accept", port]
            servers.append(lab(*words, start=start))
        time.sleep(1)
        own = [sys.executable, os.path.abspath(__file__), "--measure", "--rounds", wanted.rounds]
        print(lab("exec", "app", "--", *own).decode(), end="")
        figures = lab("exec", "appliance1", "--", "curl", "-s", "http://127.0.0.1:9100/metrics").decode()
        print(*(line for line in figures.splitlines() if line.startswith("sluice_core_holds_")), sep="\n")
    finally:
        for server in servers:
            server.kill()
        lab("down")


main()
