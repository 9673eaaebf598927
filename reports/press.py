"""From what a paper says to its PDF bytes: one function per paper, the same bytes for the same facts."""

from collections.abc import Sequence
from datetime import datetime

from reports import codes, pages, render
from reports.papers import Issuer, PurchaseOrder, Receipt, Ticket
from reports.seats import by_section
from reports.words import instant, language

MOST_TABLE_ROWS = 800
"""Rows of seats a receipt sets as tables; more are run together as text, which is laid out five times as fast."""


def purchase_order_pdf(paper: PurchaseOrder) -> bytes:
    """The order as the supplier gets it, PDF/UA-1."""
    html = pages.html(
        "purchase_order.html",
        **_frame(paper.issuer, title=f"Purchase order {paper.number}", at=paper.issued_at),
        paper=paper,
        day=paper.issuer.words.local_day(paper.issued_at),
        quantity=sum(line.quantity for line in paper.lines),
    )
    return render.pdf(html)


def receipt_pdf(paper: Receipt) -> bytes:
    """The delivery receipt with every seat folded into ranges, PDF/UA-1."""
    seats = [(line, by_section(line.seats)) for line in paper.lines if line.seats]
    html = pages.html(
        "receipt.html",
        **_frame(paper.issuer, title=f"Delivery receipt {paper.number}", at=paper.delivered_at),
        paper=paper,
        seats=seats,
        dense=sum(len(section.rows) for _, sections in seats for section in sections) > MOST_TABLE_ROWS,
    )
    return render.pdf(html)


def tickets_pdf(tickets: Sequence[Ticket], *, made_at: datetime) -> bytes:
    """One page per ticket in one file, PDF/UA-1; `made_at` is a stored instant, not the time of printing.

    Raises `ValueError` for no tickets, or for a ticket without a code.
    """
    if not tickets:
        raise ValueError("no ticket to print")
    first = tickets[0]
    html = pages.html(
        "ticket.html",
        **_frame(first.issuer, title=f"Tickets, booking {first.booking_number}", at=made_at),
        tickets=[(ticket, codes.qr_svg(ticket.barcode, title=f"Code of ticket {ticket.number}")) for ticket in tickets],
    )
    return render.pdf(html)


def _frame(issuer: Issuer, *, title: str, at: datetime) -> dict[str, object]:
    """What every page's base needs: whose it is, its title, language and its one date."""
    return {
        "issuer": issuer,
        "words": issuer.words,
        "title": title,
        "language": language(issuer.locale),
        "stamp": instant(at.replace(microsecond=0)),
    }
