"""Letters and how they are posted: MIME by the standard library, one SMTP conversation each."""

import re
import smtplib
import ssl
from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from ipaddress import ip_address
from urllib.parse import SplitResult, unquote, urlsplit

import idna

TIMEOUT = 10.0
"""Seconds that one step of the conversation may take."""

_WIRE = SMTP.clone(cte_type="7bit")
"""Quoted-printable and base64 bodies, which every server takes."""
_PORTS = {"smtp": 25, "smtps": 465}
_NEVER = range(500, 600)
_TOO_LARGE = 552
_NAMED = re.compile(r"(?P<name>[^<>]*)<(?P<mailbox>[^<>]+)>\s*", re.DOTALL)
_MESSAGE_ID = re.compile(r"[!-;=?-~]{1,400}@[!-;=?-~]{1,400}")
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")
_CONTROLS = dict.fromkeys((*range(32), 127, 0x85, 0x2028, 0x2029), " ")


@dataclass(frozen=True)
class Attachment:
    """A file in a letter; `media_type` such as `application/pdf`."""

    filename: str
    media_type: str
    content: bytes


@dataclass(frozen=True)
class Letter:
    """One mail to one address. `message_id` is ours and stays the same however often the letter is posted.

    `to` and `sender` are `ada@home.example` or `Parkside Tickets <tickets@parkside.example>`.
    """

    message_id: str
    to: str
    subject: str
    text: str
    html: str | None = None
    attachments: tuple[Attachment, ...] = ()
    sender: str = "Allotment <no-reply@allotment.invalid>"


class MailUndeliverable(Exception):
    """The letter did not go; `temporary` says whether trying again may help, with the letter as it is."""

    def __init__(self, words: str, *, temporary: bool) -> None:
        super().__init__(words)
        self.temporary = temporary


def post(letter: Letter, *, smtp_url: str, timeout: float = TIMEOUT) -> None:
    """Hands the letter to the server at `smtp://[user:password@]host[:port]` or `smtps://...`; back when it took it.

    In ASCII, unless what stands before an @ is not: then by SMTPUTF8, which the server has to speak.
    Raises MailUndeliverable, and ValueError for a URL that is none.
    """
    url = _parsed(smtp_url)
    try:
        message = mime(letter)
        own_name = _address(letter.sender, "sender").domain
        with _conversation(url, own_name=own_name, timeout=timeout) as server:
            server.send_message(message)
    except (OSError, ValueError) as failure:
        raise _translated(failure) from failure


def mime(letter: Letter) -> EmailMessage:
    """The letter as it travels. Raises MailUndeliverable for an address or name that would smuggle in another header."""
    message = EmailMessage(policy=_WIRE)
    message["From"] = _address(letter.sender, "sender")
    message["To"] = _address(letter.to, "recipient")
    message["Subject"] = _one_line(letter.subject)
    message["Message-ID"] = _message_id(letter.message_id)
    message["Date"] = datetime.now(UTC)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    if letter.html is not None:
        message.add_alternative(letter.html, subtype="html")
    for attachment in letter.attachments:
        maintype, _, subtype = attachment.media_type.partition("/")
        message.add_attachment(
            attachment.content, maintype=maintype, subtype=subtype, filename=_one_line(attachment.filename)
        )
    return message


def _address(text: str, role: str) -> Address:
    """Exactly one mailbox: a second one behind a comma or a line break would be somebody else's mail."""
    named = _NAMED.fullmatch(text)
    name, mailbox = (named["name"].strip(' "'), named["mailbox"]) if named else ("", text)
    try:
        local, domain = _parts(mailbox.strip())
        return Address(_one_line(name), local, domain)
    except (ValueError, IndexError, MessageError) as wrong:  # IndexError is how the parser says "empty"
        raise MailUndeliverable(f"{text[:100]!r} is no {role}'s address", temporary=False) from wrong


def _parts(mailbox: str) -> tuple[str, str]:
    """What stands before the @, which is the receiving server's own business, and the host's name as it travels: in ASCII."""
    local, at, domain = mailbox.rpartition("@")
    # The standard library reads no letters beyond ASCII here: it sees a plain one for each, and says whether the rest is right.
    seen = _BEYOND_ASCII.sub("x", local)
    address = Address(addr_spec=seen + at + domain)
    if not mailbox.isprintable():
        raise ValueError("what nobody sees it leaves out, and another address is left")
    if local.isascii():
        return address.username, _in_ascii(address.domain)
    if address.username != seen:
        raise ValueError("there are no quotes and comments among letters beyond ASCII")
    return local, _in_ascii(address.domain)


def _in_ascii(domain: str) -> str:
    # IDNA 2008, as where addresses are taken in: Python's own codec is that of 2003, to which fass.de and faß.de are one.
    return domain if domain.isascii() else idna.encode(domain, uts46=True).decode()


def _message_id(text: str) -> str:
    bare = text.removeprefix("<").removesuffix(">")
    if not _MESSAGE_ID.fullmatch(bare):
        raise MailUndeliverable(f"{text[:100]!r} is no message id", temporary=False)
    return f"<{bare}>"


def _one_line(text: str) -> str:
    return text.translate(_CONTROLS).strip()


def _translated(failure: OSError | ValueError) -> MailUndeliverable:
    """What stopped a letter in our words; smtplib's errors are all OSErrors."""
    match failure:
        case smtplib.SMTPRecipientsRefused():
            return _undeliverable(*next(iter(failure.recipients.values())))
        case smtplib.SMTPSenderRefused():
            # We are not welcome, or have to log in first: no fault of the letter, unless it is too large.
            return _undeliverable(failure.smtp_code, failure.smtp_error, never=(_TOO_LARGE,))
        case smtplib.SMTPResponseException():
            return _undeliverable(failure.smtp_code, failure.smtp_error)
        case smtplib.SMTPNotSupportedError() | ValueError():
            return MailUndeliverable(str(failure), temporary=False)
    return MailUndeliverable(str(failure) or type(failure).__name__, temporary=True)


def _undeliverable(code: int, words: bytes | str, *, never: Container[int] = _NEVER) -> MailUndeliverable:
    said = words.decode(errors="replace") if isinstance(words, bytes) else words
    return MailUndeliverable(f"{code} {said}", temporary=code not in never)


def _parsed(smtp_url: str) -> SplitResult:
    url = urlsplit(smtp_url)
    if url.scheme not in _PORTS or not url.hostname:
        raise ValueError("a mail server is named as smtp://[user:password@]host[:port] or smtps://...")
    return url


@contextmanager
def _conversation(url: SplitResult, *, own_name: str, timeout: float) -> Iterator[smtplib.SMTP]:
    with _before_the_letter():
        server = _called(url, own_name=own_name, timeout=timeout)
    with server:
        with _before_the_letter():
            server.ehlo_or_helo_if_needed()
            if url.username is not None:
                _log_in(server, url)
        yield server


@contextmanager
def _before_the_letter() -> Iterator[None]:
    """Whatever is refused in here is our trouble, not the letter's: it can go as soon as that is mended."""
    try:
        yield
    except (smtplib.SMTPException, ValueError) as failure:  # a certificate that does not fit is a ValueError
        raise MailUndeliverable(str(failure), temporary=True) from failure


def _called(url: SplitResult, *, own_name: str, timeout: float) -> smtplib.SMTP:
    host, port = str(url.hostname), url.port or _PORTS[url.scheme]
    # Our name is given, or smtplib would ask the resolver for it and may wait for seconds.
    if url.scheme == "smtps":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(host, port, own_name, timeout=timeout, context=context)
    return smtplib.SMTP(host, port, own_name, timeout=timeout)


def _log_in(server: smtplib.SMTP, url: SplitResult) -> None:
    """Logs in, never telling the password in the clear but to this machine."""
    if url.scheme == "smtp" and server.has_extn("starttls"):
        server.starttls(context=ssl.create_default_context())
    elif url.scheme == "smtp" and not _is_loopback(str(url.hostname)):
        raise MailUndeliverable("the mail server wants a password but offers no encryption", temporary=True)
    server.login(unquote(url.username or ""), unquote(url.password or ""))


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
