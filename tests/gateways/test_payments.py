"""What each token, each silence and each refusal of the provider becomes in our words."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx2
import pytest

from domain.money import Money
from gateways.payments import (
    ProviderAnswer,
    ProviderState,
    ProviderUnavailable,
    SimulatedPayments,
    provider_named,
)
from tests.gateways.parts import Part

PRICE = Money.of("85.00", "EUR")


@dataclass(frozen=True)
class Environment:
    provider_url: str | None


@pytest.fixture
def key() -> str:
    return f"booking/{uuid4()}/authorise"


@pytest.fixture
def ours(provider: Part) -> Iterator[SimulatedPayments]:
    client = SimulatedPayments(provider.url, timeout=1.0)
    yield client
    client.close()


def an_authorisation(payments: SimulatedPayments, key: str, token: str = "tok_ok") -> ProviderAnswer:
    return payments.authorise(key=key, amount=PRICE, token=token, description=f"for {key}")


def a_captured_charge(payments: SimulatedPayments, key: str, token: str = "tok_ok") -> str:
    reference = an_authorisation(payments, key, token).reference
    assert reference is not None
    captured = payments.capture(key=f"{key}/capture", authorisation=reference, amount=PRICE)
    assert captured.state is ProviderState.CAPTURED
    return reference


def test_a_good_card_is_authorised_captured_and_refunded(payments: SimulatedPayments, key: str) -> None:
    before = datetime.now(UTC)

    authorised = an_authorisation(payments, key)
    assert authorised.reference is not None
    captured = payments.capture(key=f"{key}/c", authorisation=authorised.reference, amount=PRICE)
    refunded = payments.refund(key=f"{key}/r", authorisation=authorised.reference, amount=PRICE)

    states = [answer.state for answer in (authorised, captured, refunded)]
    assert states == [ProviderState.AUTHORISED, ProviderState.CAPTURED, ProviderState.REFUNDED]
    times = [answer.occurred_at for answer in (authorised, captured, refunded)]
    assert all(at is not None and before <= at <= datetime.now(UTC) for at in times)
    assert {answer.amount for answer in (authorised, captured, refunded)} == {PRICE}


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("tok_declined", "card_declined"),
        ("tok_insufficient_funds", "insufficient_funds"),
        ("tok_from_another_shop", "invalid_token"),
        ("tok_slow_", "invalid_token"),
        ("tok_late_1x", "invalid_token"),
    ],
)
def test_a_bad_card_is_declined_with_its_reason(payments: SimulatedPayments, key: str, token: str, reason: str) -> None:
    answer = an_authorisation(payments, key, token)

    assert (answer.state, answer.reason, answer.reference) == (ProviderState.DECLINED, reason, None)
    assert payments.look_up(key=key).state is ProviderState.DECLINED
    assert payments.book(description=f"for {key}") == []


def test_a_slow_card_is_authorised_that_much_later(payments: SimulatedPayments, key: str) -> None:
    begun = time.monotonic()

    answer = an_authorisation(payments, key, "tok_slow_400")

    assert answer.state is ProviderState.AUTHORISED
    assert time.monotonic() - begun >= 0.4


def test_a_slow_card_is_told_by_look_up_before_its_answer_comes(hasty: SimulatedPayments, key: str) -> None:
    answer = an_authorisation(hasty, key, "tok_slow_30000")

    assert (answer.state, answer.reason) == (ProviderState.UNKNOWN, "no_answer_in_time")
    assert hasty.look_up(key=key).state is ProviderState.AUTHORISED


@pytest.mark.parametrize(
    ("token", "truth", "reason"),
    [
        ("tok_unknown_then_ok", ProviderState.AUTHORISED, None),
        ("tok_unknown_then_failed", ProviderState.FAILED, "payment_failed"),
    ],
)
def test_an_unanswered_authorisation_is_told_by_look_up(
    hasty: SimulatedPayments, key: str, token: str, truth: ProviderState, reason: str | None
) -> None:
    answer = an_authorisation(hasty, key, token)
    looked_up = hasty.look_up(key=key)
    again = an_authorisation(hasty, key, token)

    assert answer.state is ProviderState.UNKNOWN
    assert (looked_up.state, looked_up.reason) == (truth, reason)
    assert again == looked_up


def test_an_unanswered_capture_is_told_by_look_up(hasty: SimulatedPayments, key: str) -> None:
    reference = an_authorisation(hasty, key, "tok_capture_unknown_then_ok").reference
    assert reference is not None

    answer = hasty.capture(key=f"{key}/c", authorisation=reference, amount=PRICE)
    looked_up = hasty.look_up(key=f"{key}/c")

    assert answer.state is ProviderState.UNKNOWN
    assert (looked_up.state, looked_up.reference) == (ProviderState.CAPTURED, reference)


def test_an_unanswered_refund_is_told_by_look_up_and_happened_once(hasty: SimulatedPayments, key: str) -> None:
    reference = a_captured_charge(hasty, key, "tok_refund_unknown_then_ok")

    answer = hasty.refund(key=f"{key}/r", authorisation=reference, amount=Money.of("35.00", "EUR"))
    again = hasty.refund(key=f"{key}/r", authorisation=reference, amount=Money.of("35.00", "EUR"))

    assert answer.state is ProviderState.UNKNOWN
    assert again.state is ProviderState.REFUNDED
    (line,) = hasty.book(description=f"for {key}")
    assert line.refunded == Money.of("35.00", "EUR")


def test_late_money_is_pending_and_then_captures_itself(hasty: SimulatedPayments, key: str) -> None:
    asked_at = datetime.now(UTC)

    answer = an_authorisation(hasty, key, "tok_late_1500")
    early = hasty.look_up(key=key)
    again = an_authorisation(hasty, key, "tok_late_1500")
    in_the_book = hasty.book(description=f"for {key}")
    time.sleep(max(0, (asked_at + timedelta(seconds=1.7) - datetime.now(UTC)).total_seconds()))
    late = hasty.look_up(key=key)

    assert answer.state is ProviderState.UNKNOWN
    assert again == early
    assert (early.state, early.occurred_at, in_the_book) == (ProviderState.PENDING, None, [])
    assert late.state is ProviderState.CAPTURED
    assert late.occurred_at is not None
    assert timedelta(seconds=1.5) <= late.occurred_at - asked_at < timedelta(seconds=2)
    (line,) = hasty.book(description=f"for {key}")
    assert (line.authorised, line.captured, line.captured_at) == (PRICE, PRICE, late.occurred_at)


def test_late_money_can_be_given_back(hasty: SimulatedPayments, key: str) -> None:
    an_authorisation(hasty, key, "tok_late_0")
    reference = hasty.look_up(key=key).reference
    assert reference is not None

    captured = hasty.capture(key=f"{key}/c", authorisation=reference, amount=PRICE)
    refunded = hasty.refund(key=f"{key}/r", authorisation=reference, amount=PRICE)

    assert (captured.state, captured.reason) == (ProviderState.REFUSED, "already_captured")
    assert refunded.state is ProviderState.REFUNDED


def test_late_money_can_be_given_back_without_a_word(hasty: SimulatedPayments, key: str) -> None:
    an_authorisation(hasty, key, "tok_late_refund_unknown_0")
    reference = hasty.look_up(key=key).reference or ""

    refunded = hasty.refund(key=f"{key}/r", authorisation=reference, amount=PRICE)

    assert refunded.state is ProviderState.UNKNOWN
    assert hasty.look_up(key=f"{key}/r").state is ProviderState.REFUNDED


def test_late_money_arrives_although_the_provider_was_down_when_it_fell_due(
    provider: Part, ours: SimulatedPayments, key: str
) -> None:
    asked_at = datetime.now(UTC)
    with closing(SimulatedPayments(provider.url, timeout=0.2)) as hasty:
        an_authorisation(hasty, key, "tok_late_500")

    provider.kill()
    time.sleep(0.5)
    provider.start()
    answer = ours.look_up(key=key)

    assert answer.state is ProviderState.CAPTURED
    assert answer.occurred_at is not None
    assert answer.occurred_at - asked_at < timedelta(seconds=1)


def test_a_capture_can_be_finally_refused_and_the_promise_let_go(payments: SimulatedPayments, key: str) -> None:
    reference = an_authorisation(payments, key, "tok_capture_fails").reference
    assert reference is not None

    first = payments.capture(key=f"{key}/c1", authorisation=reference, amount=PRICE)
    second = payments.capture(key=f"{key}/c2", authorisation=reference, amount=PRICE)
    voided = payments.void(key=f"{key}/v", authorisation=reference)

    assert (first.state, first.reason) == (ProviderState.REFUSED, "capture_refused")
    assert (second.state, second.reason) == (ProviderState.REFUSED, "capture_refused")
    assert voided.state is ProviderState.VOIDED
    (line,) = payments.book(description=f"for {key}")
    assert (line.captured, line.voided) == (Money.zero("EUR"), PRICE)


def test_a_refund_can_be_refused_once_and_succeed_under_another_key(payments: SimulatedPayments, key: str) -> None:
    reference = a_captured_charge(payments, key, "tok_refund_fails_once")

    first = payments.refund(key=f"{key}/r1", authorisation=reference, amount=PRICE)
    same = payments.refund(key=f"{key}/r1", authorisation=reference, amount=PRICE)
    second = payments.refund(key=f"{key}/r2", authorisation=reference, amount=PRICE)

    assert (first.state, first.reason) == (ProviderState.REFUSED, "refund_refused")
    assert same == first
    assert second.state is ProviderState.REFUNDED


def test_twenty_callers_with_one_key_have_one_effect_and_one_answer(payments: SimulatedPayments, key: str) -> None:
    with ThreadPoolExecutor(20) as callers:
        answers = list(callers.map(lambda _: an_authorisation(payments, key), range(20)))

    assert len(set(answers)) == 1
    assert len(payments.book(description=f"for {key}")) == 1


def test_refunds_sent_at_once_never_give_back_more_than_was_taken(payments: SimulatedPayments, key: str) -> None:
    reference = a_captured_charge(payments, key)
    ten = Money.of("10.00", "EUR")

    with ThreadPoolExecutor(20) as callers:
        answers = list(
            callers.map(lambda n: payments.refund(key=f"{key}/r{n}", authorisation=reference, amount=ten), range(20))
        )

    assert sum(answer.state is ProviderState.REFUNDED for answer in answers) == 8
    assert {answer.reason for answer in answers} == {None, "amount_above_captured"}
    (line,) = payments.book(description=f"for {key}")
    assert line.refunded == Money.of("80.00", "EUR")


@pytest.mark.parametrize(
    ("amount", "reason"),
    [(Money.of("85.01", "EUR"), "amount_above_authorised"), (Money.of("85.00", "USD"), "currency_mismatch")],
)
def test_a_capture_of_other_money_is_refused(payments: SimulatedPayments, key: str, amount: Money, reason: str) -> None:
    reference = an_authorisation(payments, key).reference
    assert reference is not None

    answer = payments.capture(key=f"{key}/c", authorisation=reference, amount=amount)

    assert (answer.state, answer.reason) == (ProviderState.REFUSED, reason)


def test_a_charge_nobody_knows_is_refused(payments: SimulatedPayments, key: str) -> None:
    answer = payments.refund(key=key, authorisation="ch_unheard_of", amount=PRICE)

    assert (answer.state, answer.reason) == (ProviderState.REFUSED, "no_such_charge")


def test_a_key_that_never_arrived_is_missing(payments: SimulatedPayments, key: str) -> None:
    assert payments.look_up(key=key).state is ProviderState.MISSING


def test_a_key_used_for_something_else_is_never_taken_for_a_refusal(payments: SimulatedPayments, key: str) -> None:
    first = an_authorisation(payments, key)

    other = payments.authorise(key=key, amount=Money.of("90.00", "EUR"), token="tok_ok", description=f"for {key}")

    assert (other.state, other.reason) == (ProviderState.UNKNOWN, "idempotency_key_reused")
    assert payments.look_up(key=key) == first


def test_what_cannot_be_asked_is_refused(payments: SimulatedPayments, key: str) -> None:
    answer = payments.authorise(key=key, amount=Money.zero("EUR"), token="tok_ok", description="nothing")

    assert (answer.state, answer.reason) == (ProviderState.REFUSED, "invalid_request")
    assert payments.look_up(key=key).state is ProviderState.MISSING


def test_a_provider_that_is_down_is_unknown_and_its_book_unavailable(
    provider: Part, ours: SimulatedPayments, key: str
) -> None:
    provider.kill()

    assert an_authorisation(ours, key).state is ProviderState.UNKNOWN
    assert ours.look_up(key=key).state is ProviderState.UNKNOWN
    with pytest.raises(ProviderUnavailable):
        ours.book()


def test_a_frozen_provider_is_unknown_and_the_same_call_again_has_one_effect(
    provider: Part, ours: SimulatedPayments, key: str
) -> None:
    ours.look_up(key=key)

    provider.freeze()
    answer = an_authorisation(ours, key)
    provider.thaw()
    again = an_authorisation(ours, key)

    assert answer.state is ProviderState.UNKNOWN
    assert again.state is ProviderState.AUTHORISED
    assert len(ours.book()) == 1


def test_a_kill_in_the_middle_loses_no_answer_and_doubles_no_effect(provider: Part, ours: SimulatedPayments) -> None:
    keys = [f"booking/{number}/authorise" for number in range(60)]

    with ThreadPoolExecutor(10) as callers:
        under_way = [callers.submit(an_authorisation, ours, key) for key in keys]
        while sum(call.done() for call in under_way) < 20:
            time.sleep(0.001)
        provider.kill()
        first = [call.result() for call in under_way]
    provider.start()
    second = [an_authorisation(ours, key) for key in keys]

    answered = [(one, two) for one, two in zip(first, second, strict=True) if one.state is ProviderState.AUTHORISED]
    assert 20 <= len(answered) < 60
    assert all(one == two for one, two in answered)
    assert sorted(line.reference for line in ours.book()) == sorted(str(answer.reference) for answer in second)


def test_hanging_calls_block_nobody_and_end_with_the_provider(provider: Part, ours: SimulatedPayments) -> None:
    with closing(SimulatedPayments(provider.url, timeout=30)) as patient, ThreadPoolExecutor(30) as callers:
        hanging = [
            callers.submit(an_authorisation, patient, f"hanging/{number}", "tok_unknown_then_ok")
            for number in range(30)
        ]
        while any(ours.look_up(key=f"hanging/{n}").state is ProviderState.MISSING for n in range(30)):
            time.sleep(0.01)
        answer = an_authorisation(ours, "quick")
        begun = time.monotonic()
        status = provider.stop()
        ended_after = time.monotonic() - begun

    assert answer.state is ProviderState.AUTHORISED
    assert status == 0
    assert ended_after < 2
    assert {call.result().state for call in hanging} == {ProviderState.UNKNOWN}


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (httpx2.Response(500), "provider_error"),
        (httpx2.Response(503, json={"state": "declined"}), "provider_error"),
        (httpx2.Response(200, html="<h1>Welcome</h1>"), "unreadable_answer"),
        (httpx2.Response(200, json=["authorised"]), "unreadable_answer"),
        (httpx2.Response(200, json={"state": "authorised"}), "unreadable_answer"),
        (httpx2.Response(404, json={"detail": "Not Found"}), "unreadable_answer"),
        (httpx2.Response(429, json={"error": "too_many"}), "too_many"),
    ],
)
def test_an_answer_that_says_nothing_is_unknown(response: httpx2.Response, reason: str) -> None:
    with_a_stub = SimulatedPayments("http://provider", transport=httpx2.MockTransport(lambda _: response))

    answer = with_a_stub.look_up(key="k")

    assert (answer.state, answer.reason) == (ProviderState.UNKNOWN, reason)


def test_a_state_we_have_no_word_for_is_unknown() -> None:
    body = dict.fromkeys(("reference", "reason", "amount", "currency", "occurred_at")) | {"state": "disputed"}
    with_a_stub = SimulatedPayments(
        "http://provider", transport=httpx2.MockTransport(lambda _: httpx2.Response(200, json=body))
    )

    assert with_a_stub.look_up(key="k").state is ProviderState.UNKNOWN


def test_a_provider_is_found_by_its_name() -> None:
    environment = Environment("http://127.0.0.1:1")

    assert provider_named("simulated", settings=environment) is provider_named("simulated", settings=environment)


@pytest.mark.parametrize(("name", "url"), [("paypal", "http://127.0.0.1:1"), ("simulated", None)])
def test_a_provider_nobody_set_up_is_an_error(name: str, url: str | None) -> None:
    with pytest.raises(ValueError, match="provider"):
        provider_named(name, settings=Environment(url))
