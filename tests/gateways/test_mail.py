"""Letters over real SMTP: what arrives, what is refused, and nothing smuggled in."""

import smtplib
import socket
import time
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from email_validator import validate_email
from hypothesis import given, settings
from hypothesis import strategies as st

from gateways.mail import Attachment, Letter, MailUndeliverable, mime, post
from tests.gateways.parts import Part
from tests.makers.mail import a_server_saying

LETTER = Letter(
    message_id="<booking-1.tickets@parkside.example>",
    to="ada@home.example",
    subject="Your tickets for Müller & Söhne",
    text="Three tickets, 252,78 €.\n",
    html="<p>Three tickets, 252,78 €.</p>",
    attachments=(Attachment("Tickets für Ada.pdf", "application/pdf", b"%PDF-1.7\x00\xff"),),
    sender="Parkside, Tickets & Co. <tickets@parkside.example>",
)


def mail_in(home: Path) -> list[Path]:
    return sorted((home / "mail").glob("*.eml"))


def read(path: Path) -> EmailMessage:
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def test_a_letter_arrives_with_all_its_parts(sink: Part) -> None:
    post(LETTER, smtp_url=sink.url)

    (path,) = mail_in(sink.home)
    message = read(path)
    assert (message["To"], message["Subject"]) == (LETTER.to, LETTER.subject)
    assert message["From"].addresses[0].display_name == "Parkside, Tickets & Co."
    assert message["Message-ID"] == LETTER.message_id
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().splitlines() == LETTER.text.splitlines()
    assert html.get_content().strip() == LETTER.html
    (attachment,) = message.iter_attachments()
    assert (attachment.get_filename(), attachment.get_content()) == ("Tickets für Ada.pdf", b"%PDF-1.7\x00\xff")


def test_the_same_letter_posted_again_is_one_file_also_after_a_kill(sink: Part) -> None:
    post(LETTER, smtp_url=sink.url)
    post(LETTER, smtp_url=sink.url)

    sink.kill()
    sink.start()
    post(LETTER, smtp_url=sink.url)

    assert len(mail_in(sink.home)) == 1


def test_another_letter_and_another_recipient_are_other_files(sink: Part) -> None:
    post(LETTER, smtp_url=sink.url)
    post(replace(LETTER, message_id="other@parkside.example"), smtp_url=sink.url)
    post(replace(LETTER, to="buyer@parkside.example"), smtp_url=sink.url)

    assert len(mail_in(sink.home)) == 3


def test_a_message_without_an_id_is_known_by_its_content(sink: Part) -> None:
    with smtplib.SMTP("127.0.0.1", sink.port) as server:
        for text in ("one", "one", "two"):
            server.sendmail("a@a.example", "b@b.example", f"Subject: {text}\r\n\r\n{text}\r\n")

    assert len(mail_in(sink.home)) == 2


def test_the_sink_stops_when_asked_although_somebody_is_talking(sink: Part) -> None:
    with socket.create_connection(("127.0.0.1", sink.port)) as talker:
        talker.recv(100)

        assert sink.stop() == 0


def test_a_server_that_is_down_is_a_temporary_failure(sink: Part) -> None:
    sink.kill()

    with pytest.raises(MailUndeliverable) as failure:
        post(LETTER, smtp_url=sink.url)

    assert failure.value.temporary


def test_a_server_that_says_nothing_is_a_temporary_failure(sink: Part) -> None:
    sink.freeze()
    begun = time.monotonic()

    with pytest.raises(MailUndeliverable) as failure:
        post(LETTER, smtp_url=sink.url, timeout=0.3)

    assert failure.value.temporary
    assert time.monotonic() - begun < 3
    sink.thaw()


@pytest.mark.parametrize(
    ("replies", "temporary"),
    [
        ({"RCPT": "550 no such mailbox"}, False),
        ({"RCPT": "451 greylisted"}, True),
        ({"MAIL": "421 too busy"}, True),
        ({"MAIL": "552 too large"}, False),
        ({"DATA": "554 no"}, False),
        ({".": "452 disk full"}, True),
        ({".": "554 that is spam"}, False),
    ],
)
def test_a_refusal_says_whether_trying_again_may_help(replies: dict[str, str], *, temporary: bool) -> None:
    with a_server_saying(replies) as url, pytest.raises(MailUndeliverable) as refusal:
        post(LETTER, smtp_url=url)

    assert refusal.value.temporary is temporary
    assert next(iter(replies.values())) in str(refusal.value)


@pytest.mark.parametrize(
    "replies",
    [
        {"hello": "554 nobody serves here"},
        {"EHLO": "550 not you", "HELO": "550 not you"},
        {"MAIL": "553 not you"},
        {"MAIL": "530 log in first"},
    ],
)
def test_a_server_that_wants_none_of_our_letters_refuses_none_for_good(replies: dict[str, str]) -> None:
    with a_server_saying(replies) as url, pytest.raises(MailUndeliverable) as refusal:
        post(LETTER, smtp_url=url)

    assert refusal.value.temporary


def test_a_password_is_given_when_the_url_has_one() -> None:
    greeting = "250-fine\r\n250 AUTH PLAIN"
    with a_server_saying({"EHLO": greeting, "AUTH": "235 welcome"}) as url:
        post(LETTER, smtp_url=url.replace("://", "://us:s%40cret@"))


def test_a_wrong_password_is_our_trouble_not_the_letters() -> None:
    greeting = "250-fine\r\n250 AUTH PLAIN"
    with a_server_saying({"EHLO": greeting, "AUTH": "535 who are you"}) as url, pytest.raises(MailUndeliverable) as no:
        post(LETTER, smtp_url=url.replace("://", "://us:wrong@"))

    assert no.value.temporary


@pytest.mark.parametrize(
    ("greeting", "login"),
    [
        ("250-fine\r\n250 AUTH PLAIN", "us:gr%C3%BC%C3%9Fe"),  # The standard library writes passwords in ASCII.
        ("250 fine", "us:secret"),
        ("250-fine\r\n250 STARTTLS", "us:secret"),
    ],
)
def test_a_login_that_cannot_be_had_is_our_trouble_too(greeting: str, login: str) -> None:
    with (
        a_server_saying({"EHLO": greeting, "STARTTLS": "501 not here"}) as url,
        pytest.raises(MailUndeliverable) as no,
    ):
        post(LETTER, smtp_url=url.replace("://", f"://{login}@"))

    assert no.value.temporary


def test_a_server_without_encryption_is_no_smtps_server(sink: Part) -> None:
    with pytest.raises(MailUndeliverable) as failure:
        post(LETTER, smtp_url=sink.url.replace("smtp://", "smtps://"), timeout=0.5)

    assert failure.value.temporary


@pytest.mark.parametrize("url", ["", "mail.example", "http://mail.example", "smtp://"])
def test_a_url_of_no_mail_server_is_an_error(url: str) -> None:
    with pytest.raises(ValueError, match="smtp://"):
        post(LETTER, smtp_url=url)


@pytest.mark.parametrize(
    "address",
    [
        "ada@home.example\r\nBcc: eve@evil.example",
        "ada@home.example, eve@evil.example",
        "Friends: ada@home.example;",
        "Ada <ada@home.example> <eve@evil.example>",
        "ada@home.example eve",
        "Ada",
        "",
        "@home.example",
        "ada@",
        "jürgen@home.example\r\nBcc: eve@evil.example",
        "jürgen@home.example, eve@evil.example",
        "jürgen@evil.example@home.example",
        "jürgen eve@home.example",
        '"jürgen eve"@home.example',
        "jürgen\N{NO-BREAK SPACE}eve@home.example",
        "jürgen\N{LINE SEPARATOR}eve@home.example",
        "jürgen\N{ZERO WIDTH SPACE}@home.example",
        "ada@hö me.example",
        "ada@hö_me.example",
        "ada@hö\N{LINE SEPARATOR}me.example",
        "ada@h\N{NO-BREAK SPACE}me.example",
    ],
)
def test_an_address_that_is_not_exactly_one_is_refused_for_good(address: str) -> None:
    for letter in (replace(LETTER, to=address), replace(LETTER, sender=address)):
        with pytest.raises(MailUndeliverable) as refusal:
            mime(letter)

        assert not refusal.value.temporary


@pytest.mark.parametrize(
    "address", ["jürgen@example.de", "Jürgen Groß <jürgen@example.de>", "用户@例え.jp", "ÿ.o'x+y@a.b"]
)
def test_a_name_beyond_ascii_before_the_at_arrives_in_its_own_letters(sink: Part, address: str) -> None:
    post(replace(LETTER, to=address), smtp_url=sink.url)

    (path,) = mail_in(sink.home)
    message = message_from_bytes(path.read_bytes(), policy=policy.default.clone(utf8=True))
    mailbox = address.partition("<")[2].rstrip(">") or address
    local, _, _ = mailbox.partition("@")
    assert f"{local}@".encode() in path.read_bytes()
    assert message["Subject"] == LETTER.subject
    (attachment,) = (part for part in message.walk() if part.get_filename())
    assert attachment.get_payload(decode=True) == LETTER.attachments[0].content


def test_a_name_beyond_ascii_is_refused_for_good_where_the_server_reads_none() -> None:
    with a_server_saying({}) as url, pytest.raises(MailUndeliverable) as refusal:
        post(replace(LETTER, to="jürgen@example.de"), smtp_url=url)

    assert not refusal.value.temporary


def test_a_plain_address_goes_in_ascii_whatever_the_server_reads() -> None:
    with a_server_saying({}) as url:
        post(LETTER, smtp_url=url)

    assert mime(LETTER).as_bytes().isascii()


@pytest.mark.parametrize(
    ("address", "travels_as"),
    [
        ("ada@faß.de", "ada@xn--fa-hia.de"),
        ("ada@fass.de", "ada@fass.de"),
        ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
        ("ada@βόλος.com", "ada@xn--nxasmm1c.com"),
        ("ada@例え。テスト", "ada@xn--r8jz45g.xn--zckzah"),
        ("ada@xn--fa-hia.de", "ada@xn--fa-hia.de"),
        ("Ada@Home.Example", "Ada@Home.Example"),
        ('"ada eve"@home.example', '"ada eve"@home.example'),
        ("ada@[127.0.0.1]", "ada@[127.0.0.1]"),
        ("jürgen@faß.de", "jürgen@xn--fa-hia.de"),
    ],
)
def test_the_name_of_a_host_is_the_one_its_owner_has(address: str, travels_as: str) -> None:
    assert mime(replace(LETTER, to=address))["To"].addresses[0].addr_spec == travels_as


@pytest.mark.parametrize("domain", ["faß.de", "βόλος.com", "bücher.example.com", "例え.jp", "straße.xn--fa-hia.de"])
def test_a_letter_goes_where_the_address_was_said_to_be_when_it_was_taken_in(domain: str) -> None:
    known = validate_email(f"ada@{domain}", check_deliverability=False)

    assert mime(replace(LETTER, to=known.normalized))["To"].addresses[0].domain == known.ascii_domain


def test_a_message_id_with_a_line_break_is_refused() -> None:
    with pytest.raises(MailUndeliverable):
        mime(replace(LETTER, message_id="<a@b>\r\nBcc: eve@evil.example"))


@settings(deadline=None)
@given(text=st.text(max_size=200))
def test_no_title_or_name_smuggles_in_a_header(text: str) -> None:
    letter = replace(
        LETTER,
        subject=f"{text}\r\nBcc: eve@evil.example",
        sender=f"{text.translate({60: None, 62: None})} <tickets@parkside.example>",
        attachments=(Attachment(f"{text}\nBcc: eve", "application/pdf", b""),),
    )

    message = message_from_bytes(mime(letter).as_bytes(), policy=policy.default)

    expected = ["From", "To", "Subject", "Message-ID", "Date", "Auto-Submitted", "MIME-Version", "Content-Type"]
    assert sorted(message.keys()) == sorted(expected)
    assert "Bcc" in message["Subject"]
    assert [address.addr_spec for address in message["From"].addresses] == ["tickets@parkside.example"]


def test_a_text_that_cannot_be_written_is_refused_for_good(sink: Part) -> None:
    with pytest.raises(MailUndeliverable) as refusal:
        post(replace(LETTER, text="half a pair: \ud800"), smtp_url=sink.url)

    assert not refusal.value.temporary
