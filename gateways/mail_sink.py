"""A mail server that delivers nothing: it keeps each message as one .eml file, for trying things and for tests."""

import asyncio
import logging
import signal
from datetime import UTC, datetime
from email.parser import BytesHeaderParser
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from aiosmtpd.smtp import SMTP, Envelope, Session

import settings
from gateways.durable import write_durably

log = logging.getLogger("mail")

LARGEST = 50 * 1024 * 1024
"""Bytes of a message; larger ones are refused by the server's own 552."""


class Pigeonhole:
    """A folder of messages, `<time of arrival>-<hash>.eml`, where the same message arriving again is still one file."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._files = {path.stem.rpartition("-")[2]: path for path in folder.glob("*.eml")}

    def keep(self, content: bytes, *, recipients: list[str]) -> Path:
        """Keeps the message, whole and on disk, and returns its file; known by Message-ID and recipients."""
        name = _name(content, recipients)
        known = self._files.get(name)
        if known is not None and known.exists():
            return known
        arrived = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        path = self._folder / f"{arrived}-{name}.eml"
        write_durably(path, content=content)
        self._files[name] = path
        return path

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 -- aiosmtpd looks for this name
        """The end of a message: 250 once it is on disk, 451 when it cannot be."""
        content = envelope.original_content or b""
        try:
            path = self.keep(content, recipients=envelope.rcpt_tos)
        except OSError:
            log.exception("a message could not be kept")
            return "451 cannot keep it now"
        log.info("kept %s", path.name)  # the file says for whom; a log does not
        return "250 kept"


def main() -> None:
    """Serves until SIGTERM or SIGINT and exits 0 then.

    Reads ALLOTMENT_SMTP_URL (smtp://host:port) and keeps messages in $ALLOTMENT_HOME/mail.
    Raises SystemExit with a line that says what is missing or that the address is taken.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd's own, a line for each command
    asyncio.run(_serve())


async def _serve() -> None:
    environment = settings.current()
    host, port = _address(environment.smtp_url)
    pigeonhole = Pigeonhole(environment.mail_dir)
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, stopping.set)
    try:
        server = await loop.create_server(lambda: _protocol(pigeonhole), host, port)
    except OSError as taken:
        raise SystemExit(f"mail cannot be taken at {host}:{port}: {taken.strerror}") from taken
    await stopping.wait()
    server.close()


def _protocol(pigeonhole: Pigeonhole) -> SMTP:
    return SMTP(
        pigeonhole, hostname="localhost", ident="Allotment mail sink", data_size_limit=LARGEST, enable_SMTPUTF8=True
    )


def _address(url: str | None) -> tuple[str, int]:
    parts = urlsplit(url or "")
    if parts.scheme != "smtp" or parts.hostname is None or parts.port is None:
        raise SystemExit("ALLOTMENT_SMTP_URL must say smtp://host:port")
    return parts.hostname, parts.port


def _name(content: bytes, recipients: list[str]) -> str:
    message_id = BytesHeaderParser().parsebytes(content).get("Message-ID")
    identity = content if message_id is None else str(message_id).strip().encode(errors="replace")
    return sha256("\n".join(sorted(recipients)).encode() + b"\0" + identity).hexdigest()[:32]
