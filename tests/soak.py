#!/usr/bin/env python3
"""Many short TCP connections from few source ports, so that five-tuples are used again and again.

usage: soak.py HOST PORT CONNECTIONS SOURCE_PORTS    each connection sends a request and reads the answer's first bytes
"""
import socket
import struct
import sys


def main(host, port, connections, source_ports):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for nth in range(connections):
        with socket.socket(family, socket.SOCK_STREAM) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # A reset at the end: no TIME-WAIT keeps the tuple from being used again.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.settimeout(20)
            client.bind(("", 30000 + nth % source_ports))
            client.connect((host, port))
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            if not client.recv(4096).startswith(b"HTTP/1."):
                sys.exit(f"connection {nth}: no answer")
    print(f"{connections} connections from {source_ports} source ports")


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
