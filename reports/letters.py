"""What we write to suppliers, buyers and customers: subject, plain text and simple HTML, all three from the same words."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from domain.money import Money
from reports import pages, words
from reports.papers import BookedSeat, Booking, Event, Issuer, PurchaseOrder, Receipt

_WIDTH = 76
_BANKS = "Banks take up to ten working days to show a refund."


@dataclass(frozen=True)
class Message:
    """A mail without its addresses: `subject` is one line, `text` and `html` say the same."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class _Body:
    """What a mail says: a greeting, what happened, facts as label and value, and sentences after them."""

    greeting: str
    opening: str
    facts: tuple[tuple[str, str], ...] = ()
    closing: tuple[str, ...] = ()


def order_to_supplier(order: PurchaseOrder) -> Message:
    """The order goes out; its PDF is attached."""
    return _order_message(
        order,
        subject=f"Purchase order {order.number} from {order.issuer.name}",
        opening=f"Please find attached our purchase order {order.number}.",
        closing=(
            "Please confirm it in full or in part, line by line, and quote its number on every delivery note.",
            *((order.notes,) if order.notes else ()),
        ),
    )


def order_reminder(order: PurchaseOrder, *, answer_by: date) -> Message:
    """The supplier has not answered; on `answer_by` the order lapses."""
    day = order.issuer.words.day(answer_by)
    return _order_message(
        order,
        subject=f"Reminder: purchase order {order.number} from {order.issuer.name} awaits your answer",
        opening=f"We have not yet had your answer to our purchase order {order.number}.",
        closing=(f"Please confirm or decline it by {day}. After that day the order lapses.",),
    )


def order_lapsed(order: PurchaseOrder) -> Message:
    """The supplier never answered: the order is withdrawn."""
    return _order_message(
        order,
        subject=f"Purchase order {order.number} from {order.issuer.name} has lapsed",
        opening=f"As we had no answer to our purchase order {order.number}, it has lapsed.",
        closing=("Please do not deliver on it. If you can still offer these seats, we will gladly order anew.",),
    )


def receipt_to_buyer(receipt: Receipt) -> Message:
    """What arrived, told to the person who ordered it; the receipt's PDF is attached."""
    return _message(
        receipt.issuer,
        subject=f"Delivery receipt {receipt.number}: {_seats(receipt.seat_count)} on {receipt.order_number}",
        body=_Body(
            greeting="Hello,",
            opening=(
                f"A delivery from {receipt.supplier.name} has been taken in. "
                "The seats are ours from now on and may be put on sale; the receipt is attached."
            ),
            facts=_receipt_facts(receipt),
        ),
    )


def receipt_to_supplier(receipt: Receipt) -> Message:
    """The supplier's copy; the receipt's PDF is attached."""
    return _message(
        receipt.issuer,
        subject=f"Delivery receipt {receipt.number} for your delivery {receipt.delivery_reference}",
        body=_Body(
            greeting=_greeting(receipt.supplier.contact_person or receipt.supplier.name),
            opening="Thank you for your delivery. Our receipt, with every seat, is attached.",
            facts=_receipt_facts(receipt),
            closing=("Please quote the receipt and the order on your invoice, and tell us soon if anything differs.",),
        ),
    )


def booking_confirmed(booking: Booking) -> Message:
    """Paid and confirmed; the tickets' PDF is attached."""
    return _booking_message(
        booking,
        subject=f"Your tickets for {booking.event.title} ({booking.number})",
        opening="Thank you for your booking. Your tickets are attached, one page each, on paper or on your screen.",
        facts=(*_ticket_facts(booking), *_price_facts(booking)),
        closing=("The code on each ticket admits one person once. Please keep it to yourself.",),
    )


def booking_cancelled(booking: Booking, *, refund: Money, kept: Sequence[BookedSeat] = ()) -> Message:
    """Some or all tickets are cancelled: `booking.seats` are those; `kept` stay valid; `refund` goes back."""
    back = booking.issuer.words.money(refund)
    money = f"{back} will be paid back the way you paid." if refund.is_positive else "Nothing is paid back for them."
    count = len(booking.seats)
    still = f"{_tickets(len(kept))} of this booking {_stay(kept)} valid."
    return _booking_message(
        booking,
        subject=f"Cancelled: {_tickets(count)} of booking {booking.number}",
        opening=(
            f"{_tickets(count)} of your booking {booking.number} {'is' if count == 1 else 'are'} cancelled "
            f"and no longer valid. {money}"
        ),
        facts=(*_ticket_facts(booking), ("Refund", back), *(("Still valid", _place(seat)) for seat in kept)),
        closing=(*((still,) if kept else ()), *((_BANKS,) if refund.is_positive else ())),
    )


def payment_failed(booking: Booking) -> Message:
    """The payment was finally refused after the sale: the sale is undone, nothing is owed."""
    return _booking_message(
        booking,
        subject=f"Payment failed: booking {booking.number} is cancelled",
        opening=(
            f"Your payment for booking {booking.number} was finally refused, so we had to cancel the booking. "
            "The tickets are not valid, and you owe us nothing."
        ),
        facts=_ticket_facts(booking),
        closing=("If you still want to come, please book again while there are seats.",),
    )


def reservation_lost(booking: Booking) -> Message:
    """The money was promised after the reservation had ended and the seats had gone: nothing is taken."""
    return _booking_message(
        booking,
        subject=f"Your seats of booking {booking.number} are gone; nothing was charged",
        opening=(
            f"Your payment for booking {booking.number} was confirmed after the reservation had ended, and the seats had "
            "been sold to somebody else. We are sorry. Nothing was charged, and you owe us nothing."
        ),
        facts=_ticket_facts(booking),
        closing=("If your bank shows the amount as reserved, it will let it go by itself.",),
    )


def late_money_refunded(booking: Booking, *, refund: Money) -> Message:
    """The money came after the reservation had ended and the seats had gone: all of it goes back."""
    back = booking.issuer.words.money(refund)
    return _booking_message(
        booking,
        subject=f"Your payment for booking {booking.number} is going back",
        opening=(
            f"Your payment for booking {booking.number} reached us after the reservation had ended, and the seats had "
            f"been sold to somebody else. We are sorry. {back} will be paid back in full the way you paid."
        ),
        facts=(*_ticket_facts(booking), ("Refund", back)),
        closing=(_BANKS,),
    )


def _order_message(order: PurchaseOrder, *, subject: str, opening: str, closing: tuple[str, ...]) -> Message:
    facts = (
        ("Order", order.number),
        ("Seats", order.issuer.words.count(sum(line.quantity for line in order.lines))),
        *((f"Line {line.number}", f"{line.quantity} x {_event(line.event, order.issuer)}") for line in order.lines),
        ("Total", order.issuer.words.money(order.total)),
        ("Terms", words.terms(order.payment_terms)),
        ("Fulfilment", words.fulfilment(order.fulfillment_method)),
    )
    greeting = _greeting(order.supplier.contact_person or order.supplier.name)
    return _message(order.issuer, subject=subject, body=_Body(greeting, opening, facts, closing))


def _booking_message(
    booking: Booking,
    *,
    subject: str,
    opening: str,
    facts: tuple[tuple[str, str], ...],
    closing: tuple[str, ...],
) -> Message:
    told = (("Booking", booking.number), ("Event", booking.event.title), *_when_and_where(booking), *facts)
    return _message(booking.issuer, subject=subject, body=_Body(_greeting(booking.customer), opening, told, closing))


def _message(issuer: Issuer, *, subject: str, body: _Body) -> Message:
    subject = words.one_line(subject, limit=150)
    html = pages.html("letter.html", issuer=issuer, subject=subject, language=words.language(issuer.locale), body=body)
    return Message(subject=subject, text=_text(issuer, body), html=html)


def _text(issuer: Issuer, body: _Body) -> str:
    paragraphs = [_wrapped(body.greeting), _wrapped(body.opening)]
    if body.facts:
        widest = max(len(label) for label, _ in body.facts) + 2
        paragraphs.append("\n".join(_fact_line(label, value, widest) for label, value in body.facts))
    signature = "\n".join(line for line in (words.one_line(issuer.name), words.one_line(issuer.email)) if line)
    return "\n\n".join((*paragraphs, *map(_wrapped, body.closing), signature)) + "\n"


def _fact_line(label: str, value: str, indent: int) -> str:
    return textwrap.fill(
        words.one_line(value, limit=400),
        width=_WIDTH,
        initial_indent=f"{label}:".ljust(indent),
        subsequent_indent=" " * indent,
        break_on_hyphens=False,
    )


def _wrapped(paragraph: str) -> str:
    return textwrap.fill(words.one_line(paragraph, limit=2000), width=_WIDTH, break_on_hyphens=False)


def _greeting(name: str) -> str:
    return f"Dear {words.one_line(name, limit=80)},"


def _event(event: Event, issuer: Issuer) -> str:
    return f"{words.one_line(event.title)}, {issuer.words.short_day(event.starts_at, zone=event.timezone)}"


def _when_and_where(booking: Booking) -> tuple[tuple[str, str], ...]:
    said, event = booking.issuer.words, booking.event
    when = f"{said.full_day(event.starts_at, zone=event.timezone)}, {said.clock(event.starts_at, zone=event.timezone)}"
    where = f"{event.venue}, {event.address}" if event.address else event.venue
    return ("When", f"{when} ({event.timezone})"), ("Where", where)


def _receipt_facts(receipt: Receipt) -> tuple[tuple[str, str], ...]:
    said = receipt.issuer.words
    return (
        ("Receipt", receipt.number),
        ("Order", receipt.order_number),
        ("Delivery", receipt.delivery_reference),
        ("Delivered", said.moment(receipt.delivered_at)),
        *(
            (f"Line {line.number}", f"{said.count(line.delivered)} seats, {said.count(line.open)} still open")
            for line in receipt.lines
        ),
        ("Total", f"{_seats(receipt.seat_count)}, {said.money(receipt.total)}"),
    )


def _ticket_facts(booking: Booking) -> tuple[tuple[str, str], ...]:
    said = booking.issuer.words
    return tuple((seat.ticket_number, f"{_place(seat)}, {said.money(seat.price)}") for seat in booking.seats)


def _price_facts(booking: Booking) -> tuple[tuple[str, str], ...]:
    said = booking.issuer.words
    discount, tax = booking.discount, booking.tax
    return (
        ("Subtotal", said.money(booking.subtotal)),
        *((("Discount", said.money(-discount)),) if discount and not discount.is_zero else ()),
        ("Service fee", said.money(booking.service_fee)),
        *((("Tax", said.money(tax)),) if tax and not tax.is_zero else ()),
        ("Total", said.money(booking.total)),
    )


def _place(seat: BookedSeat) -> str:
    row = f", row {seat.row}" if seat.row else ""
    return f"{seat.section}{row}, seat {seat.seat}"


def _seats(count: int) -> str:
    return "1 seat" if count == 1 else f"{count} seats"


def _tickets(count: int) -> str:
    return "1 ticket" if count == 1 else f"{count} tickets"


def _stay(kept: Sequence[BookedSeat]) -> str:
    return "stays" if len(kept) == 1 else "stay"
