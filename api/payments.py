"""/api/payments: pay a booking, and look at a try to pay."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, StringConstraints

from activities import booking as steps
from api.booking_shapes import PaymentShape
from api.desk import Accepted, Desk
from api.problems import Rejected
from api.resources import resolve
from api.shapes import Body
from db import payments
from db.transaction import Tx
from settings import current

desk = Desk(tag="payments")


class NewPayment(Body):
    """A payment for the whole of a reserved booking; the token stands for a card that we never see."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "booking_id": "0198a1b2-0000-7000-8000-000000000005",
                "provider": "simulated",
                "method": "CREDIT_CARD",
                "token": "tok_ok",
            }
        }
    )

    booking_id: UUID
    provider: Literal["simulated"]
    method: Literal["CREDIT_CARD"]
    token: Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,100}$")]


@desk.starts(
    "/payments/process",
    needs="payments:write",
    rush=True,
    problems=["already_paid", "booking_ended", "reservation_expired", "payment_in_progress", "unknown_id"],
)
def process_payment(tx: Tx, body: NewPayment) -> Accepted:
    """Pay a reserved booking; a declined card ends the operation and leaves the reservation as it was."""
    booking_id = resolve(tx, "booking_id", str(body.booking_id))
    if booking_id is None:
        fault = {"pointer": "/booking_id", "code": "unknown_id", "message": "there is no such booking"}
        raise Rejected("unknown_id", "there is no such booking", errors=[fault])
    operation_id = steps.begin_payment(
        tx,
        booking_id,
        method=body.method,
        provider=body.provider,
        token=body.token,
        grace=current().payment_grace,
    )
    return Accepted(operation_id)


@desk.reads("/payments/{payment_id}", needs="payments:read", single=True)
def read_payment(tx: Tx, payment_id: UUID) -> PaymentShape:
    """Read a payment."""
    payment = payments.find(tx, payment_id)
    assert payment is not None, "the desk has found it"
    return PaymentShape.of(payment)
