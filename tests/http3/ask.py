"""An HTTP/3 client that asks for one page: ask.py ADDRESS PORT NAME [BYTES of padding in its hello]. The empty name is told to nobody."""

import asyncio
import ssl
import sys

from aioquic.asyncio import QuicConnectionProtocol, connect
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived
from aioquic.quic.configuration import QuicConfiguration

PATIENCE_S = 4


class Client(QuicConnectionProtocol):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.http = H3Connection(self._quic)
        self.page = asyncio.get_running_loop().create_future()

    def quic_event_received(self, event):
        for told in self.http.handle_event(event):
            if isinstance(told, DataReceived) and told.stream_ended and not self.page.done():
                self.page.set_result(told.data)

    async def ask(self, name):
        stream = self._quic.get_next_available_stream_id()
        head = [(b":method", b"GET"), (b":scheme", b"https"), (b":authority", name.encode()), (b":path", b"/")]
        self.http.send_headers(stream, head, end_stream=True)
        self.transmit()
        return await self.page


async def main(address, port, name, padding="0"):
    padded = [f"{nth:02}" + "p" * 198 for nth in range(int(padding) // 200)]
    configuration = QuicConfiguration(
        alpn_protocols=H3_ALPN + padded, server_name=name or None, verify_mode=ssl.CERT_NONE
    )
    async with asyncio.timeout(PATIENCE_S):
        async with connect(address, int(port), configuration=configuration, create_protocol=Client) as client:
            print((await client.ask(name)).decode())


asyncio.run(main(*sys.argv[1:]))
