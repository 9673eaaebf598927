"""The provider's calls, against the real simulated provider: one key a call, and no guess where no answer came."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from temporalio.exceptions import ApplicationError

from activities.payments import FindOutStep, PaymentActivities, PaymentStep
from activities.words import Word
from domain.money import Money
from gateways.payments import BookLine, ProviderAnswer, ProviderState, SimulatedPayments
from tests.makers.payments import our_side_of_a_provider
from tests.makers.selling import Shop


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedPayments]:
    """The simulated provider, asked by somebody who gives up after a third of a second."""
    with our_side_of_a_provider(tmp_path_factory.mktemp("provider"), timeout=0.35) as ours:
        yield ours


class Till:
    """One payment and the steps that speak to the provider about it."""

    def __init__(self, shop: Shop, provider: SimulatedPayments, *, token: str) -> None:
        self.shop, self.provider = shop, provider
        self.booking_id = shop.basket(1)
        self.payment_id: UUID = shop.pay(self.booking_id, token=token)
        self.steps = PaymentActivities(shop.database, provider)
        self.at = PaymentStep(tenant_id=shop.tenant_id, payment_id=self.payment_id)

    def find_out(self, call: str) -> Word:
        """Asked again until the provider has decided."""
        step = FindOutStep(tenant_id=self.shop.tenant_id, payment_id=self.payment_id, call=call)
        for _ in range(200):
            with suppress(ApplicationError):
                return self.steps.find_out(step)
            time.sleep(0.05)
        raise TimeoutError("the provider does not decide")

    def surely(self, call: str, ask: Callable[[PaymentStep], Word]) -> Word:
        """What the process does: ask once, and look up what was not answered."""
        word = ask(self.at)
        return word if word.final else self.find_out(call)

    def paid(self) -> str:
        """Through to the end; what it came to."""
        word = self.surely("authorise", self.steps.authorise)
        then = self.shop.settle(self.payment_id, word).then
        if then == "capture":
            word = self.surely("capture", self.steps.capture)
        if then in ("capture", "complete"):
            self.shop.capture(self.payment_id, word)
        elif then == "void":
            self.surely("void", self.steps.void)
            self.steps.record_void(self.at)
        return then

    def book(self) -> list[BookLine]:
        return self.provider.book(description=self.shop.booking(self.booking_id).booking_number)


@pytest.mark.parametrize("token", ["tok_ok", "tok_slow_100", "tok_unknown_then_ok", "tok_capture_unknown_then_ok"])
def test_whatever_the_way_the_money_is_taken_once(shop: Shop, provider: SimulatedPayments, token: str) -> None:
    till = Till(shop, provider, token=token)

    till.paid()

    line = till.book()[0]
    payment = shop.payment(till.payment_id)
    assert len(till.book()) == 1
    assert (line.captured, line.refunded) == (Money(Decimal("38.50"), "EUR"), Money.zero("EUR"))
    assert (payment.status, payment.provider_transaction_id) == ("COMPLETED", line.reference)
    assert payment.captured_at == line.captured_at
    assert shop.postings(till.booking_id) == ["SALE", "CAPTURED"]
    assert shop.faults() == []


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("tok_declined", "card_declined"),
        ("tok_insufficient_funds", "insufficient_funds"),
        ("tok_unknown_then_failed", "payment_failed"),
        ("tok_nobody_issued", "card_declined"),
    ],
)
def test_a_no_takes_nothing_and_the_token_is_forgotten(
    shop: Shop, provider: SimulatedPayments, token: str, code: str
) -> None:
    till = Till(shop, provider, token=token)

    assert till.paid() == "nothing"

    assert shop.outcome(till.payment_id) == ("failed", code)
    assert shop.payment(till.payment_id).token is None
    assert till.book() == []
    assert shop.status(till.booking_id) == ("RESERVED", None, "PENDING")


def test_money_that_the_provider_takes_by_itself_in_time_is_a_sale(shop: Shop, provider: SimulatedPayments) -> None:
    till = Till(shop, provider, token="tok_late_300")

    assert till.paid() == "complete"

    assert till.book()[0].captured == Money(Decimal("38.50"), "EUR")
    assert shop.status(till.booking_id) == ("CONFIRMED", None, "COMPLETED")
    assert shop.payment(till.payment_id).captured_at == till.book()[0].captured_at
    assert shop.faults() == []


def test_a_capture_refused_is_known_to_both_books(shop: Shop, provider: SimulatedPayments) -> None:
    till = Till(shop, provider, token="tok_capture_fails")

    till.paid()

    assert till.book()[0].captured == Money.zero("EUR")
    assert shop.status(till.booking_id) == ("CANCELLED", "PAYMENT_FAILED", "FAILED")
    assert shop.faults() == []


def test_a_promise_that_is_let_go_is_voided(shop: Shop, provider: SimulatedPayments) -> None:
    till = Till(shop, provider, token="tok_ok")
    shop.lapse(till.booking_id)
    shop.basket(1)

    assert till.paid() == "void"

    assert till.book()[0].voided == Money(Decimal("38.50"), "EUR")
    assert shop.faults() == []


def test_while_the_provider_has_not_decided_the_operation_says_what_it_waits_for(
    shop: Shop, provider: SimulatedPayments
) -> None:
    till = Till(shop, provider, token="tok_late_60000")
    till.steps.authorise(till.at)

    with pytest.raises(ApplicationError, match="not decided"):
        till.steps.find_out(FindOutStep(tenant_id=shop.tenant_id, payment_id=till.payment_id, call="authorise"))

    operation = shop.operation(till.payment_id)
    assert (operation.status, operation.waiting_for) == ("waiting", "the payment provider")


def test_a_provider_that_is_away_is_not_a_no(shop: Shop) -> None:
    nobody = SimulatedPayments("http://127.0.0.1:9", timeout=0.2)
    till = Till(shop, nobody, token="tok_ok")

    assert till.steps.authorise(till.at).state == ProviderState.UNKNOWN
    with pytest.raises(ApplicationError, match="not decided"):
        till.steps.find_out(FindOutStep(tenant_id=shop.tenant_id, payment_id=till.payment_id, call="authorise"))
    assert shop.status(till.booking_id) == ("RESERVED", None, "PROCESSING")


def test_a_step_run_twice_is_one_call_to_the_provider(shop: Shop, provider: SimulatedPayments) -> None:
    till = Till(shop, provider, token="tok_ok")

    words = [till.steps.authorise(till.at) for _ in range(3)]
    shop.settle(till.payment_id, words[0])
    taken = [till.steps.capture(till.at) for _ in range(3)]

    assert len({word.reference for word in words}) == 1
    assert {word.state for word in taken} == {ProviderState.CAPTURED}
    assert till.book()[0].captured == Money(Decimal("38.50"), "EUR")


@pytest.mark.parametrize("token", ["tok_ok", "tok_unknown_then_ok", "tok_capture_fails"])
def test_a_process_begun_again_after_its_sale_takes_the_money_it_was_promised(
    shop: Shop, provider: SimulatedPayments, token: str
) -> None:
    till = Till(shop, provider, token=token)
    shop.settle(till.payment_id, till.surely("authorise", till.steps.authorise))

    then = till.paid()

    fails = token == "tok_capture_fails"
    assert then == "capture"
    assert shop.status(till.booking_id)[0] == ("CANCELLED" if fails else "CONFIRMED")
    assert till.book()[0].captured == Money(Decimal(0 if fails else "38.50"), "EUR")
    assert shop.faults() == []


def test_whatever_is_said_of_the_promise_of_a_sold_booking_the_capture_decides(
    shop: Shop, provider: SimulatedPayments
) -> None:
    till = Till(shop, provider, token="tok_ok")
    shop.settle(till.payment_id, till.steps.authorise(till.at))

    again = shop.settle(till.payment_id, Word(state=ProviderState.REFUSED, reason="invalid_request"))

    assert again.then == "capture"
    assert shop.status(till.booking_id)[0] == "CONFIRMED"
    assert shop.outcome(till.payment_id) == ("queued", None)


def test_a_promise_of_other_money_is_never_confirmed(
    shop: Shop, provider: SimulatedPayments, monkeypatch: pytest.MonkeyPatch
) -> None:
    till = Till(shop, provider, token="tok_ok")
    strange = ProviderAnswer(ProviderState.AUTHORISED, reference="ch_1", amount=Money(Decimal(1), "EUR"))
    monkeypatch.setattr(provider, "authorise", lambda **_: strange)

    with pytest.raises(ApplicationError) as caught:
        till.steps.authorise(till.at)

    assert caught.value.type == "WrongAmount"


def test_the_provider_is_not_asked_for_nothing(shop: Shop, provider: SimulatedPayments, tmp_path: Path) -> None:
    with shop.tx() as tx:
        tx.run("UPDATE event_seats SET retail_price = 0 WHERE id = %s", shop.seats(1))
    till = Till(shop, provider, token="tok_ok")

    assert till.paid() == "capture"

    assert till.book() == []
    assert shop.status(till.booking_id) == ("CONFIRMED", None, "COMPLETED")
