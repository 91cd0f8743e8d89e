"""An HTTP/3 server that answers every request with one page: serve.py PORT CERTIFICATE-AND-KEY"""

import asyncio
import sys

from aioquic.asyncio import QuicConnectionProtocol, serve
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ProtocolNegotiated

PAGE = b"<p>reached</p>"


class Server(QuicConnectionProtocol):
    http = None

    def quic_event_received(self, event):
        if isinstance(event, ProtocolNegotiated):
            self.http = H3Connection(self._quic)
        for told in self.http.handle_event(event) if self.http else []:
            if isinstance(told, HeadersReceived):
                head = [(b":status", b"200"), (b"content-type", b"text/html"), (b"content-length", b"%d" % len(PAGE))]
                self.http.send_headers(told.stream_id, head)
                self.http.send_data(told.stream_id, PAGE, end_stream=True)
                self.transmit()


async def main(port, certificate):
    configuration = QuicConfiguration(is_client=False, alpn_protocols=H3_ALPN)
    configuration.load_cert_chain(certificate)
    await serve("::", int(port), configuration=configuration, create_protocol=Server)
    await asyncio.Event().wait()


asyncio.run(main(*sys.argv[1:]))
