"""Sending money back: an attempt a row, an unknown answer looked up under its own key, people after the last refusal."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

import pytest
from temporalio.exceptions import ApplicationError

from activities.refunds import ATTEMPTS, NextAttempt, RefundActivities, RefundStep, RefundWord
from activities.words import Word
from domain.money import Money
from gateways.payments import ProviderAnswer, ProviderState
from tests.makers.selling import NOBODY, Shop, at_once, refunded, refused


@dataclass(frozen=True)
class Due:
    """A sale of two seats, one of them given up: 35.00 to go back."""

    booking_id: UUID
    operation_id: UUID
    refund_id: UUID


@pytest.fixture
def due(shop: Shop) -> Due:
    booking_id = shop.sold(1, 2)
    operation_id = shop.ask_cancel(booking_id, [shop.tickets(booking_id)[0].id])
    refund_id = shop.cancel(operation_id).refund_id
    assert refund_id is not None
    return Due(booking_id, operation_id, refund_id)


@dataclass
class Provider:
    """Says what it was told to say, and remembers who asked for what."""

    answers: dict[str, list[ProviderAnswer]]
    asked: list[tuple[str, str]] = field(default_factory=list)

    def refund(self, *, key: str, authorisation: str, amount: Money) -> ProviderAnswer:
        assert amount == Money(Decimal(35), "EUR")
        return self._answer("refund", key)

    def look_up(self, *, key: str) -> ProviderAnswer:
        return self._answer("look_up", key)

    def _answer(self, call: str, key: str) -> ProviderAnswer:
        self.asked.append((call, key))
        return self.answers[call].pop(0)


def attempts(shop: Shop, due: Due) -> list[tuple[int, str, str | None]]:
    return [(refund.attempt, refund.status, refund.failure_reason) for refund in shop.refunds(due.booking_id)]


def finding_out(shop: Shop, due: Due, provider: Provider) -> Word:
    step = RefundStep(tenant_id=shop.tenant_id, refund_id=due.refund_id)
    return RefundActivities(shop.database, provider).find_out(step)  # type: ignore[arg-type]


def test_an_attempt_is_requested_submitted_settled(shop: Shop, due: Due) -> None:
    assert attempts(shop, due) == [(1, "REQUESTED", None)]

    shop.submit(due.refund_id)

    assert attempts(shop, due) == [(1, "SUBMITTED", None)]
    operation = shop.operation(due.operation_id)
    assert (operation.status, operation.waiting_for) == ("waiting", "the refund")

    assert shop.refund(due.refund_id, refunded("ch_9")) == NextAttempt()

    found = shop.refunds(due.booking_id)[0]
    operation = shop.operation(due.operation_id)
    assert (found.status, found.provider_refund_id) == ("SETTLED", "ch_9")
    assert found.ended_at is not None
    assert operation.status == "succeeded"
    assert operation.result == {
        "booking_id": str(due.booking_id),
        "cancelled_tickets": [str(shop.tickets(due.booking_id)[0].id)],
        "refund_total": {"amount": "35.00", "currency": "EUR"},
        "fee_refund": {"amount": "0.00", "currency": "EUR"},
        "refund_id": str(due.refund_id),
        "refund_status": "SETTLED",
    }
    assert shop.letters() == ["booking_confirmed", "booking_cancelled"]
    assert shop.faults() == []


def test_a_refused_attempt_is_followed_by_another_under_a_key_of_its_own(shop: Shop, due: Due) -> None:
    following = shop.refund(due.refund_id, refused("refund_refused")).refund_id

    assert following is not None
    assert attempts(shop, due) == [(1, "FAILED", "refund_refused"), (2, "REQUESTED", None)]
    assert shop.booking(due.booking_id).refunds_pending == Decimal(35)
    assert shop.faults() == []

    provider = Provider({"refund": [ProviderAnswer(ProviderState.REFUNDED)] * 2})
    for refund_id in (due.refund_id, following):
        step = RefundStep(tenant_id=shop.tenant_id, refund_id=refund_id)
        RefundActivities(shop.database, provider).send(step)  # type: ignore[arg-type]
    keys = [key for _, key in provider.asked]
    assert len(set(keys)) == 2
    assert all(key.startswith(f"cancellation/{due.operation_id}/") for key in keys)

    shop.refund(following, refunded())
    assert attempts(shop, due) == [(1, "FAILED", "refund_refused"), (2, "SETTLED", None)]
    assert shop.postings(due.booking_id)[-1] == "REFUND_SETTLED"
    assert shop.outcome(due.operation_id) == ("succeeded", None)
    assert shop.faults() == []


def test_after_the_last_attempt_people_take_over_and_the_money_stays_owed(shop: Shop, due: Due) -> None:
    refund_id: UUID | None = due.refund_id
    for _ in range(ATTEMPTS):
        assert refund_id is not None
        refund_id = shop.refund(refund_id, refused("account_closed")).refund_id

    assert refund_id is None
    assert [status for _, status, _ in attempts(shop, due)] == ["FAILED", "FAILED", "ESCALATED"]
    assert shop.outcome(due.operation_id) == ("failed", "refund_failed")
    assert shop.balances()["2200"] == Decimal(-35)
    assert shop.booking(due.booking_id).refunds_pending == Decimal(35)
    assert shop.ticket_states(due.booking_id) == ["CANCELLED", "CONFIRMED"]
    assert shop.faults() == []


def test_an_unknown_answer_is_looked_up_under_the_same_key_and_not_sent_again(shop: Shop, due: Due) -> None:
    shop.submit(due.refund_id)
    provider = Provider(
        {
            "refund": [ProviderAnswer(ProviderState.UNKNOWN)],
            "look_up": [ProviderAnswer(ProviderState.PENDING), ProviderAnswer(ProviderState.REFUNDED)],
        }
    )
    step = RefundStep(tenant_id=shop.tenant_id, refund_id=due.refund_id)
    assert not RefundActivities(shop.database, provider).send(step).final  # type: ignore[arg-type]

    with pytest.raises(ApplicationError, match="not decided"):
        finding_out(shop, due, provider)
    assert finding_out(shop, due, provider).state == ProviderState.REFUNDED

    assert [call for call, _ in provider.asked] == ["refund", "look_up", "look_up"]
    assert len({key for _, key in provider.asked}) == 1


def test_a_call_that_never_arrived_is_sent_again_under_the_same_key(shop: Shop, due: Due) -> None:
    provider = Provider(
        {"look_up": [ProviderAnswer(ProviderState.MISSING)], "refund": [ProviderAnswer(ProviderState.REFUNDED)]}
    )

    assert finding_out(shop, due, provider).state == ProviderState.REFUNDED

    assert [call for call, _ in provider.asked] == ["look_up", "refund"]
    assert len({key for _, key in provider.asked}) == 1


def test_a_word_about_other_money_is_never_acted_on(shop: Shop, due: Due) -> None:
    strange = ProviderAnswer(ProviderState.REFUNDED, amount=Money(Decimal(34), "EUR"))
    provider = Provider({"look_up": [strange]})

    with pytest.raises(ApplicationError) as caught:
        finding_out(shop, due, provider)

    assert (caught.value.type, caught.value.non_retryable) == ("WrongAmount", False)


@pytest.mark.parametrize("word", [refunded(), refused("refund_refused")], ids=["settled", "refused"])
def test_a_word_told_many_times_has_one_effect(shop: Shop, due: Due, word: Word) -> None:
    shop.submit(due.refund_id)
    step = RefundWord(tenant_id=shop.tenant_id, refund_id=due.refund_id, word=word)

    answers = at_once(6, lambda _: RefundActivities(shop.database, NOBODY).record(step))

    assert len(set(map(str, answers))) == 1
    assert len(attempts(shop, due)) == (1 if word.state == ProviderState.REFUNDED else 2)
    assert shop.booking(due.booking_id).refunded == (Decimal(35) if word.state == ProviderState.REFUNDED else 0)
    assert shop.faults() == []
