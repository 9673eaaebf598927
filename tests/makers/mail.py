"""A mail server that answers as it is told to, in place of one that takes everything."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from typing_extensions import override


class Conversation(socketserver.StreamRequestHandler):
    """Answers each verb as its server was told, and 250 to the rest; `.` is the end of a message, `hello` its first word."""

    replies: ClassVar[dict[str, str]] = {}

    @override
    def handle(self) -> None:
        spoken = {"hello": "220 here", "DATA": "354 go on", "QUIT": "221 bye", **self.replies}
        self.say(spoken["hello"])
        for line in self.rfile:
            verb = line.split()[0].decode().upper()
            self.say(spoken.get(verb, "250 fine"))
            if verb == "DATA" and spoken[verb].startswith("354"):
                while self.rfile.readline() != b".\r\n":
                    continue
                self.say(spoken.get(".", "250 taken"))

    def say(self, reply: str) -> None:
        self.wfile.write(f"{reply}\r\n".encode())


@contextmanager
def a_server_saying(replies: dict[str, str]) -> Iterator[str]:
    """A server with those replies; its URL."""
    told = type("Told", (Conversation,), {"replies": replies})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), told) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield f"smtp://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
