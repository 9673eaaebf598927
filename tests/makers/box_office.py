"""A box office in a running house: seats sold over HTTP, everything else done by the house itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from httpx2 import Response

from gateways.payments import BookLine
from tests.makers.access import an_agency
from tests.makers.callers import with_token
from tests.makers.counter import Counter, a_counter
from tests.makers.house import House, eventually
from tests.makers.selling import a_shop

ENDED = ("succeeded", "failed")


@dataclass(frozen=True)
class BoxOffice(Counter):
    """A counter whose operations are carried out by the house."""

    house: House

    def ended(self, answer: Response, *, seconds: float = 30) -> Any:
        """The operation that was accepted, once it has ended."""
        assert answer.status_code == 202, answer.text
        return eventually(
            lambda: self.operation(answer), until=lambda operation: operation["status"] in ENDED, seconds=seconds
        )

    def outcome(self, answer: Response, *, seconds: float = 30) -> tuple[str, str | None]:
        """How it ended, and the code of its problem."""
        operation = self.ended(answer, seconds=seconds)
        return operation["status"], (operation["error"] or {}).get("code")

    def paid(self, *places: int, token: str = "tok_ok") -> Any:
        """These seats sold."""
        booking = self.reserved(*places)
        assert self.outcome(self.pay(booking, token=token)) == ("succeeded", None)
        return self.read(booking)

    def stands(self, booking: Any) -> tuple[str, str | None, str]:
        """Status, why it ended, and the payment axis."""
        found = self.read(booking)
        return found["status"], found["cancellation_reason"], found["payment_status"]

    def window(self, seconds: float) -> None:
        """From now on baskets of this agency are held so long."""
        with self.shop.tx() as tx:
            tx.run(
                "UPDATE tenants SET reservation_window = %s WHERE id = %s",
                (timedelta(seconds=seconds), self.shop.tenant_id),
            )

    def charges(self, booking: Any) -> list[BookLine]:
        """What the provider's own book says about a booking."""
        return self.house.payments.book(description=booking["booking_number"])

    def differences(self) -> list[str]:
        """Every booking whose money the provider's book sees differently, and every contradiction in our own rows."""
        with self.shop.tx() as tx:
            rows = tx.dicts("SELECT booking_number, paid - refunded AS kept FROM bookings")
        ours = {row["booking_number"]: row["kept"] for row in rows}
        theirs: dict[str, Decimal] = dict.fromkeys(ours, Decimal(0))
        for line in self.house.payments.book():
            if line.description in theirs:
                theirs[line.description] += line.captured.amount - line.refunded.amount
        found = [
            f"{number}: {ours[number]} here, {theirs[number]} there"
            for number in ours
            if ours[number] != theirs[number]
        ]
        return found + self.shop.faults()

    def letter_subjects(self) -> list[str]:
        """What the customer got by mail."""
        return [str(letter["Subject"]) for letter in self.house.letters(to=self.email)]

    @property
    def email(self) -> str:
        """Where this office's customer gets mail."""
        found: str = self.caller.read(f"/api/customers/{self.customer_id}")["email"]
        return found


def a_box_office(house: House, *, seats: int = 10) -> BoxOffice:
    """An agency of its own with one event, and a customer whom nobody else has."""
    agency = an_agency(house.database)
    caller = with_token(house.http, agency.boxoffice.token)
    counter = a_counter(caller, a_shop(house.database, agency, seats=seats))
    customer = caller.made(
        "/api/customers", {"name": "Erika Muster", "email": f"{UUID(counter.customer_id).hex}@example.org"}
    )
    return BoxOffice(caller=caller, shop=counter.shop, customer_id=customer["id"], house=house)
