"""The provider's own money rules: what a charge still allows, whatever the caller believes."""

from decimal import Decimal

from gateways.simulated_provider.tokens import Behaviour
from gateways.simulated_provider.vocabulary import DONE, Demand, Kind, Standing, State, Verdict


def judge(demand: Demand, *, standing: Standing, behaviour: Behaviour) -> Verdict:
    """What becomes of a capture, void or refund: captured <= authorised and refunded <= captured, always."""
    reason = _objection(demand, standing, behaviour)
    return Verdict(DONE[demand.kind]) if reason is None else Verdict(State.REFUSED, reason)


def _objection(demand: Demand, standing: Standing, behaviour: Behaviour) -> str | None:
    if demand.kind is Kind.VOID:
        return _against_voiding(standing)
    assert demand.amount is not None
    if demand.currency != standing.currency:
        return "currency_mismatch"
    if demand.kind is Kind.CAPTURE:
        return _against_capturing(demand.amount, standing, behaviour)
    return _against_refunding(demand.amount, standing, behaviour)


def _against_voiding(standing: Standing) -> str | None:
    if standing.is_voided:
        return "already_voided"
    if not standing.authorised:
        return "not_authorised"
    return "already_captured" if standing.captured else None


def _against_capturing(amount: Decimal, standing: Standing, behaviour: Behaviour) -> str | None:
    if standing.is_voided:
        return "already_voided"
    if not standing.authorised:
        return "not_authorised"
    if behaviour.refuses_capture:
        return "capture_refused"
    if standing.captured == standing.authorised:
        return "already_captured"
    return "amount_above_authorised" if standing.captured + amount > standing.authorised else None


def _against_refunding(amount: Decimal, standing: Standing, behaviour: Behaviour) -> str | None:
    if standing.refunded + amount > standing.captured:
        return "amount_above_captured"
    return "refund_refused" if standing.refunds_refused < behaviour.refunds_refused else None
