"""Mails: one subject line, the same words in text and HTML, and nothing that a name can smuggle in."""

import html
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from reports import letters
from reports.letters import Message
from reports.papers import Booking, PurchaseOrder, Receipt
from tests.reports import samples
from tests.reports.samples import HOSTILE, a_booking, a_receipt, an_order, called, euro


def order_called(name: str) -> PurchaseOrder:
    issuer = replace(samples.NORTHSIDE, name=name)
    return replace(
        an_order(event=called(name), issuer=issuer), supplier=replace(samples.MUELLER, contact_person=name), notes=name
    )


def receipt_called(name: str) -> Receipt:
    supplier = replace(samples.MUELLER, contact_person=name, name=name)
    return replace(a_receipt(event=called(name)), supplier=supplier, delivery_reference=name)


def booking_called(name: str) -> Booking:
    return a_booking(event=called(name), customer=name)


LETTERS: dict[str, Callable[[str], Message]] = {
    "order": lambda name: letters.order_to_supplier(order_called(name)),
    "reminder": lambda name: letters.order_reminder(order_called(name), answer_by=date(2026, 11, 10)),
    "lapsed": lambda name: letters.order_lapsed(order_called(name)),
    "receipt, ours": lambda name: letters.receipt_to_buyer(receipt_called(name)),
    "receipt, theirs": lambda name: letters.receipt_to_supplier(receipt_called(name)),
    "confirmed": lambda name: letters.booking_confirmed(booking_called(name)),
    "cancelled": lambda name: letters.booking_cancelled(booking_called(name), refund=euro("138.00")),
    "payment failed": lambda name: letters.payment_failed(booking_called(name)),
    "late money": lambda name: letters.late_money_refunded(booking_called(name), refund=euro("151.80")),
}
every_letter = pytest.mark.parametrize("kind", LETTERS)


def shown(message: Message) -> str:
    """What a reader of the HTML sees, as one line."""
    return flat(html.unescape(re.sub(r"<[^>]*>", " ", message.html.split("</head>")[1])))


def flat(text: str) -> str:
    return " ".join(text.split())


@every_letter
@pytest.mark.parametrize("name", [*HOSTILE, "two\r\nBcc: all@evil.example"])
def test_no_name_breaks_the_subject_or_becomes_markup(kind: str, name: str) -> None:
    message = LETTERS[kind](name)

    assert not re.search("[\x00-\x1f\x7f\u2028\u2029\u202e]", message.subject)
    assert 0 < len(message.subject) <= 150
    assert "<script" not in message.html
    assert "<img" not in message.html
    assert not re.search("[\x00-\x08\r\u202e]", message.text + message.html)


@every_letter
def test_text_and_html_say_the_same(kind: str) -> None:
    message = LETTERS[kind]("Ada Grønnegård")

    said = shown(message)

    for paragraph in message.text.split("\n\n"):
        for line in [flat(paragraph)] if ":  " not in paragraph else []:
            assert line in said
    for label, value in re.findall(r"^([A-Z][\w -]*): +(\S.*)$", message.text, re.MULTILINE):
        assert f"{label} {flat(value)}" in said


@every_letter
def test_lines_of_text_are_short(kind: str) -> None:
    assert max(map(len, LETTERS[kind]("Ada Grønnegård").text.splitlines())) <= 76


def test_an_order_names_its_number_sum_and_terms() -> None:
    message = letters.order_to_supplier(an_order(lines=2))

    assert message.subject == "Purchase order PO-2026-00042 from Northside Tickets"
    assert message.text.startswith("Dear Annegret Öztürk,\n")
    assert "36.833,30\u00a0€" in message.text
    assert "within 30 calendar days" in flat(message.text)


def test_a_reminder_names_the_day_the_order_lapses() -> None:
    message = letters.order_reminder(an_order(), answer_by=date(2026, 11, 10))

    assert "confirm or decline it by 10 November 2026" in flat(message.text)


def test_a_receipt_tells_seats_and_sum() -> None:
    message = letters.receipt_to_buyer(a_receipt())

    assert message.subject == "Delivery receipt GRN-2026-00007: 40 seats on PO-2026-00042"
    assert "40 seats, 42.499,95\u00a0€" in message.text
    assert "40 seats, 20 still open" in message.text


def test_a_confirmation_lists_each_ticket_and_the_sum() -> None:
    text = letters.booking_confirmed(a_booking()).text

    assert "TK-2026-01180: Parkett, row C, seat 11, 69,00\u00a0€" in text
    assert "TK-2026-01181: Parkett, row C, seat 12, 69,00\u00a0€" in text
    assert "Saturday, 16 January 2027, 19:30 (Europe/Berlin)" in text
    assert re.search(r"Total: +151,80\u00a0€", text)


def test_a_discount_and_a_tax_are_told_when_there_are_any() -> None:
    booking = replace(a_booking(), discount=euro("5.00"), tax=euro("2.00"))

    text = letters.booking_confirmed(booking).text

    assert re.search(r"Discount: +-5,00\u00a0€", text)
    assert re.search(r"Tax: +2,00\u00a0€", text)
    assert "Discount" not in letters.booking_confirmed(a_booking()).text


def test_a_part_cancelled_tells_what_goes_back_and_what_stays() -> None:
    whole = a_booking()
    given_up, kept = replace(whole, seats=whole.seats[:1]), whole.seats[1:]

    message = letters.booking_cancelled(given_up, refund=euro("69.00"), kept=kept)

    assert message.subject == "Cancelled: 1 ticket of booking BK-2026-00311"
    assert "69,00\u00a0€ will be paid back" in flat_but_joined(message.text)
    assert "1 ticket of this booking stays valid." in message.text
    assert re.search(r"Still valid: +Parkett, row C, seat 12", message.text)


def test_a_cancellation_without_money_promises_none() -> None:
    text = letters.booking_cancelled(a_booking(), refund=euro("0.00")).text

    assert "Nothing is paid back" in text
    assert "working days" not in text


def test_late_money_goes_back_in_full() -> None:
    message = letters.late_money_refunded(a_booking(), refund=euro("151.80"))

    assert "151,80\u00a0€ will be paid back in full" in flat_but_joined(message.text)


def flat_but_joined(text: str) -> str:
    return re.sub(r"[ \n]+", " ", text)
