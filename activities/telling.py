"""Letters to a booking's customer: queued with the fact they tell of, once."""

from collections.abc import Sequence
from uuid import UUID

from db import customers, outbox
from db.booking import Booking
from db.transaction import Tx


def tell_customer(
    tx: Tx, booking: Booking, *, letter: str, subject_id: UUID | None = None, documents: Sequence[UUID] = ()
) -> None:
    """Queue a letter about the booking, or about one of its refunds or payments; the same one again is dropped."""
    about = subject_id or booking.id
    outbox.mail(
        tx,
        key=f"{letter}/{about}",
        letter=letter,
        subject_id=about,
        to=customers.find(tx, booking.customer_id).email,
        documents=documents,
    )
