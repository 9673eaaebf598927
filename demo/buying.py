"""The buying side: places, events, orders, the suppliers' answers and deliveries, prices, and what is paid to them."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from demo.caller import Json, Refusal
from demo.inputs import Delivery, Event, Order, SupplierPayment, money
from demo.month import Month, stamp


def make_places(month: Month) -> None:
    """Halls with their seats, suppliers, and events that nobody can buy yet."""
    for venue in month.inputs.venues:
        facts = {name: venue[name] for name in ("name", "venue_type", "timezone", "address")}
        made = month.buyer.post("/api/venues", facts, key=f"venue {venue['key']}")
        month.venues[venue["key"]] = made["id"]
        content = venue["file"].read_bytes()
        path = f"/api/venues/{made['id']}/seats/import"
        counted = month.buyer.upload(path, content, key=f"seats {venue['key']}", name=venue["file"].name)
        month.screen.tell(f"{venue['name']}: {counted['created']:,} seats")
    for supplier in month.inputs.suppliers:
        facts = {name: value for name, value in supplier.items() if name != "key"}
        made = month.buyer.post("/api/suppliers", facts, key=f"supplier {supplier['key']}")
        month.suppliers[supplier["key"]] = made["id"]
    for event in month.inputs.events:
        made = month.buyer.post("/api/events", _event_body(month, event), key=f"event {event.key}")
        month.events[event.key] = made["id"]


def place_orders(month: Month) -> None:
    """Every order drafted, submitted and answered by its supplier, one of them in part."""
    ordered = 0
    with month.screen.steps("orders", len(month.inputs.orders)) as steps:
        for order in month.inputs.orders:
            made = month.buyer.post("/api/purchase-orders", _order_body(month, order), key=f"order {order.key}")
            month.orders[order.key] = made["id"]
            path = f"/api/purchase-orders/{made['id']}"
            month.buyer.does(f"{path}/submit", key=f"submit {order.key}")
            month.buyer.does(f"{path}/confirm", _answer_body(order, made), key=f"confirm {order.key}")
            status = month.buyer.get(path)["status"]
            month.checks.expect(f"order {order.key} after the supplier's answer", status, wanted="CONFIRMED")
            ordered += sum(line["quantity"] for line in made["lines"])
            steps.advance()
    month.screen.tell(f"{len(month.orders)} orders of {ordered:,} seats submitted and confirmed, one of them in part")


def pay_before_delivery(month: Month) -> None:
    """What suppliers get in advance."""
    for payment in month.inputs.payments:
        if payment.before_delivery:
            _pay(month, payment)


def take_deliveries(month: Month) -> None:
    """Every delivery note in the order in which they came; each is taken in, known already, or refused as it must be."""
    for delivery in month.inputs.deliveries:
        _take(month, delivery)


def cancel_rests(month: Month) -> None:
    """What will not come any more is cancelled; the preview's numbers are those of the cancellation."""
    for rest in month.inputs.cancelled_orders:
        path = f"/api/purchase-orders/{month.orders[rest['order']]}"
        body = {"reason": rest["reason"]}
        planned = sum(line["cancelled_quantity"] for line in month.buyer.preview(f"{path}/cancel", body)["lines"])
        month.buyer.does(f"{path}/cancel", body, key=f"cancel {rest['order']}")
        order = month.buyer.get(path)
        cancelled = sum(line["cancelled_quantity"] for line in order["lines"])
        words = f"the rest of {rest['order']}"
        month.checks.expect(f"{words}: seats", (planned, cancelled), wanted=(rest["cancelled"], rest["cancelled"]))
        month.checks.expect(f"{words}: order", order["status"], wanted="COMPLETED")


def set_prices(month: Month) -> None:
    """The price list, then sales open."""
    by_price: dict[tuple[str, Decimal], list[str]] = defaultdict(list)
    for price in month.inputs.prices:
        by_price[price.event, price.retail_price].append(price.selector)
    updated = 0
    for (event, amount), selectors in by_price.items():
        body = {"seats": selectors, "retail_price": money(amount)}
        path = f"/api/inventory/events/{month.events[event]}/prices"
        updated += month.buyer.post(path, body, key=f"prices {event} {amount}")["updated"]
    month.screen.tell(f"price list: {updated:,} seats have another price now")
    for key, event_id in month.events.items():
        month.buyer.post(f"/api/events/{event_id}/publish", key=f"publish {key}")
        month.buyer.post(f"/api/events/{event_id}/open-sales", key=f"open {key}")


def pay_suppliers(month: Month) -> None:
    """Bills paid whole or in part, and money beyond them, which is an advance."""
    for payment in month.inputs.payments:
        if not payment.before_delivery:
            _pay(month, payment)


def end_events(month: Month) -> None:
    """The matinee's curtain falls: its times are moved so that it is over in a moment."""
    for event in month.inputs.events:
        if event.over_after_sales:
            end = datetime.now(UTC) + timedelta(seconds=2)
            times = {"start_datetime": stamp(end - timedelta(minutes=event.minutes)), "end_datetime": stamp(end)}
            path = f"/api/events/{month.events[event.key]}"
            month.buyer.put(path, {**_event_body(month, event), **times})


def _event_body(month: Month, event: Event) -> Json:
    start, end = event.times(month.began)
    return {
        **event.facts,
        "venue_id": month.venues[event.venue],
        "start_datetime": stamp(start),
        "end_datetime": stamp(end),
        "timezone": "Europe/Berlin",
    }


def _order_body(month: Month, order: Order) -> Json:
    body: Json = {**order.facts, "supplier_id": month.suppliers[order.supplier]}
    if order.expected_in_days is not None:
        body["expected_date"] = (date.today() + timedelta(days=order.expected_in_days)).isoformat()  # noqa: DTZ011 -- any near day will do
    body["lines"] = [_line_body(month, line) for line in order.lines]
    return body


def _line_body(month: Month, line: Json) -> Json:
    prices: Json = {name: money(line[name]) for name in ("unit_price", "retail_price") if name in line}
    said: Json = {name: line[name] for name in ("description", "quantity", "seats") if name in line}
    return {"event_id": month.events[line["event"]], **said, **prices}


def _answer_body(order: Order, made: Json) -> Json | None:
    if not order.confirmed:
        return None
    ids = {line["line_number"]: line["id"] for line in made["lines"]}
    lines = [{"line_id": ids[number], "confirmed_quantity": many} for number, many in order.confirmed.items()]
    return {"supplier_reference": order.supplier_reference, "lines": lines}


def _take(month: Month, delivery: Delivery) -> None:
    words = f"{delivery.reference}, {delivery.days_ago} days ago: {delivery.about}"
    try:
        result = _sent(month, delivery)
    except Refusal as refusal:
        month.checks.expect(words, refusal.code, wanted=delivery.refused)
        month.screen.tell(f"{words}: refused, {refusal.code}")
        return
    month.checks.expect(words, "" if result else "nothing", wanted=delivery.refused)
    month.checks.expect(f"{words}: seats", result["received"], wanted=delivery.received)
    if delivery.again:
        known = month.receipts[delivery.reference]["receipt_id"]
        month.checks.expect(f"{words}: receipt", result["receipt_id"], wanted=known)
    month.screen.tell(f"{words}: {result['received']} seats, {result['receipt_number']}")
    month.receipts[delivery.reference] = result


def _sent(month: Month, delivery: Delivery) -> Json:
    """A delivery sent again comes with a key of its own: the supplier does not know that we have it."""
    path = f"/api/purchase-orders/{month.orders[delivery.order]}/receive"
    key = f"delivery {delivery.path.name}{' again' if delivery.again else ''}"
    at = month.ago(delivery.days_ago)
    if delivery.is_csv:
        form = {"delivery_reference": delivery.reference, "delivered_at": at}
        files = {"file": (delivery.path.name, delivery.path.read_bytes(), "text/csv")}
        operation = month.buyer.does(path, key=key, data=form, files=files)
    else:
        order = month.buyer.get(f"/api/purchase-orders/{month.orders[delivery.order]}")
        ids = {line["line_number"]: line["id"] for line in order["lines"]}
        lines = [
            {"line_id": ids[line["line"]], **{name: line[name] for name in line if name != "line"}}
            for line in delivery.lines()
        ]
        body = {"delivery_reference": delivery.reference, "delivered_at": at, "lines": lines}
        operation = month.buyer.does(path, body, key=key)
    result: Json = operation["result"]
    return result


def _pay(month: Month, payment: SupplierPayment) -> None:
    body: Json = {"method": payment.method, "reference": payment.reference, "paid_at": month.ago(payment.days_ago)}
    if payment.amount is not None:
        body["amount"] = money(payment.amount)
    if payment.order:
        path = f"/api/purchase-orders/{month.orders[payment.order]}/pay"
        amount = payment.amount
    else:
        bill_id = month.receipts[payment.bill_of]["bill_id"]
        path = f"/api/accounts-payable/{bill_id}/pay"
        amount = payment.amount or Decimal(
            month.finance.get(f"/api/accounts-payable/{bill_id}")["open_amount"]["amount"]
        )
    assert amount is not None, "an advance says how much"
    operation = month.finance.does(path, body, key=f"pay {payment.reference}")
    month.paid_out.append({"reference": payment.reference, "amount": amount, "operation": operation["id"]})
