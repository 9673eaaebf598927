"""Problem documents (RFC 9457): the one place that knows which refusal has which HTTP status."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi.responses import Response


@dataclass(frozen=True, slots=True)
class Problem:
    """One kind of refusal: its HTTP status, its title, and what the caller can do about it."""

    status: int
    title: str
    remedy: str


PROBLEMS: dict[str, Problem] = {
    # Who and whether
    "unauthenticated": Problem(401, "Not logged in", "Send a living access token or API key."),
    "invalid_credentials": Problem(401, "Wrong login", "Check the e-mail address and the password."),
    "invalid_token": Problem(401, "Dead token", "Log in again: this token is unknown, used, expired or revoked."),
    "email_taken": Problem(422, "Address has a login", "Use another e-mail address."),
    "unknown_scope": Problem(422, "Unknown scope", "Use permissions such as events:read or bookings:write."),
    "forbidden": Problem(403, "Not allowed", "Ask an owner for a role or key that has the permission named."),
    "too_many_attempts": Problem(429, "Too many failed logins", "Wait ten minutes, then try again."),
    "not_found": Problem(404, "Not found", "Check the id or number; things of other agencies do not exist for you."),
    "method_not_allowed": Problem(405, "No such call", "Look up the path's methods in the API description."),
    # The request itself
    "unknown_parameter": Problem(400, "Unknown query parameter", "Leave it out, or check its spelling."),
    "malformed": Problem(400, "Unreadable request", "Send well-formed JSON, form data or multipart."),
    "invalid": Problem(422, "Invalid request", "Correct the fields that the pointers name."),
    "unknown_field": Problem(422, "Unknown field", "Leave out the field that the pointer names."),
    "too_large": Problem(413, "Request too large", "Send less at once: 1 MiB of JSON, 10 MiB of files."),
    "idempotency_key_reused": Problem(422, "Idempotency key reused", "Use a new key for a different request."),
    "request_in_progress": Problem(409, "Request in progress", "The first request with this key is still running."),
    "precondition_required": Problem(428, "If-Match is required", "Read the thing, then send its ETag as If-Match."),
    "version_mismatch": Problem(412, "Changed meanwhile", "Read the thing again and repeat your change on it."),
    # Places, events, seats
    "currency_not_supported": Problem(422, "Currency not supported", "Use the agency's own currency."),
    "invalid_label": Problem(422, "Invalid seat label", "Leave out / , * and hyphens in rows and seats."),
    "wrong_state": Problem(409, "Not in this state", "Look at `can`: it lists what is possible now."),
    "invalid_selector": Problem(422, "Unreadable seat selector", "Write section/row/seat, e.g. Stalls/A/1-25."),
    "no_such_seat": Problem(422, "No such seat", "Name seats that the event has."),
    "duplicate_seat": Problem(422, "Seat named twice", "Name each seat once."),
    # Buying
    "unknown_id": Problem(422, "Unknown id", "Use the id of an existing thing."),
    "supplier_inactive": Problem(409, "Supplier is deactivated", "Choose an active supplier."),
    "nothing_confirmed": Problem(422, "Nothing confirmed", "Confirm at least one seat, or cancel the order."),
    "not_receivable": Problem(409, "Order takes no deliveries", "Only confirmed orders with open lines receive."),
    "delivery_reference_reused": Problem(409, "Delivery reference reused", "Use the reference of this delivery note."),
    "seat_already_owned": Problem(409, "Seat already owned", "Take the seat off the delivery, or return it first."),
    "over_delivery": Problem(409, "More than is open", "Deliver at most what the line has open."),
    "block_too_small": Problem(409, "Block too small", "Ask for at most the seats the block still has."),
    "price_mismatch": Problem(422, "Price differs from the order", "Deliver at the line's unit price."),
    "overpayment": Problem(409, "More than is owed", "Pay at most what is open, or what may be advanced."),
    "nothing_to_pay": Problem(409, "Nothing to pay", "No bill is open and no advance is possible."),
    "nothing_to_cancel": Problem(409, "Nothing left to cancel", "Everything was delivered or cancelled."),
    # Selling
    "seats_unavailable": Problem(409, "Seats not available", "Choose others: `still_available` lists what is left."),
    "not_on_sale": Problem(409, "Not on sale", "Open sales for the event first."),
    "no_price": Problem(409, "Seat without a price", "Set the seat's retail price first."),
    "already_paid": Problem(409, "Already paid", "The booking is confirmed; nothing is due."),
    "booking_ended": Problem(409, "Booking has ended", "Make a new booking."),
    "payment_in_progress": Problem(409, "Payment in progress", "Wait for the running payment to end."),
    "reservation_expired": Problem(409, "Reservation expired", "Make a new booking; money taken is given back."),
    "card_declined": Problem(409, "Card declined", "Try another card; the reservation stands."),
    "insufficient_funds": Problem(409, "Insufficient funds", "Try another card; the reservation stands."),
    "payment_failed": Problem(409, "Payment failed", "Try again or use another card; the reservation stands."),
    "capture_refused": Problem(409, "Capture refused", "The sale was reversed; make a new booking."),
    "quote_stale": Problem(409, "Quote is stale", "Ask for a new preview and send its quote_id."),
    "too_late": Problem(409, "Too late", "The event has begun; its tickets cannot be cancelled."),
    "refund_failed": Problem(409, "Refund failed", "The refund was escalated to staff; the money is still owed."),
    "ticket_not_valid": Problem(409, "Ticket not valid", "Only confirmed tickets have papers and codes."),
    "seat_not_owned": Problem(409, "Seat not owned", "Receive the seat before selling it."),
    # The house
    "document_pending": Problem(503, "Document still being made", "Ask again after the seconds in Retry-After."),
    "document_failed": Problem(500, "Document could not be made", "Tell your administrator the request id."),
    "unavailable": Problem(503, "Temporarily unavailable", "Ask again after the seconds in Retry-After."),
    "internal": Problem(500, "Internal error", "Tell your administrator the request id."),
}

DOCS = "/docs/errors#"


AGAIN: Mapping[str | int, str] = {429: "600", 503: "2", "request_in_progress": "1"}
"""`Retry-After` in seconds, by code or by status."""


class Rejected(Exception):
    """The request is refused before or beside the business rules: a code of the registry and what to add to it."""

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        errors: Iterable[Mapping[str, Any]] = (),
        facts: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.errors = list(errors)
        self.facts = dict(facts or {})
        self.headers = dict(headers or {})


def known(code: str) -> str:
    """A rule's code if the registry has it."""
    return code if code in PROBLEMS else "invalid"


def status_of(code: str) -> int:
    """The status under which a refusal leaves."""
    return PROBLEMS[known(code)].status


def document(
    code: str,
    detail: str,
    *,
    errors: Iterable[Mapping[str, Any]] = (),
    facts: Mapping[str, Any] | None = None,
    instance: str | None = None,
    request_id: str | None = None,
) -> dict[str, Any]:
    """A problem document; `facts` are members beside the standard ones, as RFC 9457 section 3.2 allows."""
    kind = PROBLEMS.get(code, PROBLEMS["internal"])
    return {
        # First, so that no fact can take the place of a standard member.
        **(facts or {}),
        "type": DOCS + code,
        "title": kind.title,
        "status": kind.status,
        "detail": detail or kind.remedy,
        "instance": instance,
        "code": code,
        "request_id": request_id,
        "errors": list(errors),
        "remedy": kind.remedy,
    }


def response(problem: Mapping[str, Any], *, headers: Mapping[str, str] | None = None) -> Response:
    """The document as an answer; it says when to come again where that helps, and with 401 how to log in."""
    extra = dict(headers or {})
    status = int(problem["status"])
    if again := AGAIN.get(problem["code"]) or AGAIN.get(status):
        extra.setdefault("Retry-After", again)
    if status == 401:
        extra.setdefault("WWW-Authenticate", "Bearer")
    # What was sent may come back in the words, and not all that JSON can spell is Unicode: a lone surrogate is not.
    body = json.dumps(problem, ensure_ascii=False, separators=(",", ":"), default=str).encode("utf-8", "replace")
    return Response(body, status, extra, media_type="application/problem+json")
