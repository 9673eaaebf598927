"""Ways to break a world by hand: the invariant that must see it and what is wrong, and what its owner does to the rows."""

PAST_TRIGGERS = "SET LOCAL session_replication_role = replica"
GIVEN_UP = """UPDATE payments SET status = 'FAILED', failure_reason = 'reservation_expired'
              WHERE status = 'PROCESSING' AND provider_transaction_id IS NOT NULL"""
BREAKS: dict[str, tuple[str, ...]] = {
    "S1 two live tickets": (
        "DROP INDEX uq_tickets_live_seat",
        "UPDATE tickets SET event_seat_id = '{sold}' WHERE booking_id = '{booking}' AND status = 'CONFIRMED'",
    ),
    "S2 a sold seat without a ticket": ("UPDATE event_seats SET status = 'SOLD' WHERE id = '{free}'",),
    "S2 a free seat with a ticket": ("UPDATE event_seats SET status = 'AVAILABLE' WHERE id = '{sold}'",),
    "S3 a sold seat that is not owned": (
        "ALTER TABLE event_seats DROP CONSTRAINT ck_event_seats_sold_is_owned",
        "UPDATE event_seats SET ownership_status = 'NOT_OWNED' WHERE id = '{sold}'",
    ),
    "S3 a sold seat that was written off": ("UPDATE event_seats SET written_off = true WHERE id = '{sold}'",),
    "S5 a basket past its time": (
        "UPDATE bookings SET held_until = now() - interval '6 s' WHERE status = 'RESERVED' AND payment_status = 'PENDING'",
    ),
    "M1 an entry out of balance": (
        PAST_TRIGGERS,
        "UPDATE journal_legs SET amount = amount + 1 WHERE account = '4000'",
    ),
    "M1 an entry that does not tie to its seats": (
        PAST_TRIGGERS,
        "UPDATE seat_movements SET cost = cost + 1 WHERE event_seat_id = '{free}'",
    ),
    "M1 a leg dated apart from its entry": (
        PAST_TRIGGERS,
        "UPDATE journal_legs SET accounting_date = accounting_date + 1 WHERE account = '1000'",
    ),
    "M1 a guard that is off": ("ALTER TABLE journal_entries DISABLE TRIGGER entry_balances",),
    "M1 a right to rewrite": (
        "DO $$ BEGIN EXECUTE format('GRANT UPDATE ON journal_legs TO %I', current_database() || '_rights'); END $$",
    ),
    "M2 more paid than captured": ("UPDATE bookings SET paid = paid + 1 WHERE id = '{booking}'",),
    "M2 a refund that nobody settled": ("UPDATE refunds SET status = 'FAILED' WHERE booking_id = '{booking}'",),
    "M2 more given back than taken": (
        "ALTER TABLE payments DROP CONSTRAINT ck_payments_never_refunded_more_than_paid",
        "UPDATE refunds SET amount = 1000 WHERE booking_id = '{booking}'",
    ),
    "M2 a payment that says it gave back what nobody got": (
        "UPDATE payments SET refunded_amount = amount WHERE refunded_amount = 0 AND status = 'COMPLETED'",
    ),
    "M2 a refund before there was money": (
        "UPDATE refunds SET created_at = created_at - interval '1 day' WHERE status = 'SETTLED'",
    ),
    "M3 a payment the provider knows nothing of": (
        "UPDATE payments SET provider_transaction_id = 'ch_gone' WHERE booking_id = '{booking}'",
    ),
    "M3 a failed payment whose money we hold": (
        "UPDATE payments SET status = 'FAILED' WHERE booking_id = '{booking}'",
    ),
    "M3 a promise that was given up and not let go": (GIVEN_UP,),
    "M3 a refund the provider never made": (
        "UPDATE payments SET refunded_amount = amount WHERE booking_id = '{booking}'",
    ),
    "M4 a total that is not its parts": (
        "UPDATE bookings SET total_amount = total_amount + 0.01 WHERE id = '{booking}'",
    ),
    "M4 a subtotal that is not its tickets": (
        "UPDATE bookings SET subtotal = subtotal - 1, total_amount = total_amount - 1 WHERE id = '{booking}'",
    ),
    "M4 a lost cent of the fee": (
        "UPDATE tickets SET fee = fee - 0.01 WHERE booking_id = '{booking}' AND position = 1",
    ),
    "M4 a discount above the price": ("UPDATE tickets SET discount = price + 1 WHERE status = 'RESERVED'",),
    "M4 a refund of other than was decided": (
        "UPDATE cancellations SET refund_total = 1 WHERE booking_id = '{booking}'",
    ),
    "P1 a bill of other than was delivered": ("UPDATE bills SET amount = amount + 1 WHERE id = '{bill}'",),
    "P1 seats that cost other than their receipt": (
        "UPDATE receipt_seats SET cost = cost + 1 WHERE event_seat_id = '{free}'",
    ),
    "P1 a bill settled by nobody": ("UPDATE bills SET settled_amount = amount WHERE id = '{bill}'",),
    "P1 an advance used twice": (
        "UPDATE supplier_payments SET advance_used = advance_amount WHERE advance_amount > 0",
    ),
    "P2 more received than came": (
        "ALTER TABLE purchase_order_lines DROP CONSTRAINT ck_purchase_order_lines_received_within_confirmed",
        "UPDATE purchase_order_lines SET received_quantity = received_quantity + 1 WHERE purchase_order_id = '{order}'",
    ),
    "P2 a seat that no receipt brought": ("DELETE FROM receipt_seats WHERE event_seat_id = '{free}'",),
    "P3 a ticket at another price than the books": ("UPDATE tickets SET price = price + 1 WHERE status = 'CONFIRMED'",),
    "P3 a ticket at another cost than the books": ("UPDATE tickets SET cost = cost + 1 WHERE status = 'CONFIRMED'",),
    "P4 a closed day whose totals are missing": (
        "INSERT INTO ledger_stretches (tenant_id, span, ends_at) VALUES ('{tenant}', 'DAY', now() + interval '1 day')",
    ),
    "T1 a good ticket of an ended booking": ("UPDATE bookings SET status = 'CANCELLED' WHERE id = '{booking}'",),
    "T1 a sold ticket without a cost": ("UPDATE tickets SET cost = NULL WHERE booking_id = '{booking}'",),
    "T1 one code on two tickets": (
        "ALTER TABLE tickets DROP CONSTRAINT uq_tickets_barcode",
        "UPDATE tickets SET barcode = 'SAME' WHERE booking_id = '{booking}'",
    ),
    "A1 a state that the history does not know": (
        "UPDATE payments SET status = 'FAILED' WHERE booking_id = '{booking}'",
    ),
    "A1 a change that the rules forbid": (
        """INSERT INTO history (tenant_id, object, subject_id, by, from_status, to_status)
           VALUES ('{tenant}', 'ticket', '{new}', 'somebody', 'CANCELLED', 'USED')""",
    ),
    "A1 a history that was cut off": (
        "DELETE FROM history WHERE object = 'purchase_order' AND subject_id = '{order}' AND to_status = 'COMPLETED'",
    ),
    "X1 a table outside of the wall": ("ALTER TABLE tickets NO FORCE ROW LEVEL SECURITY",),
    "X1 a table without its policy": ("DROP POLICY own_agency ON bookings",),
    "X1 a role that bypasses the wall": (
        "DO $$ BEGIN EXECUTE format('ALTER ROLE %I BYPASSRLS', current_database() || '_app'); END $$",
    ),
    "X1 a key without the agency": (
        "ALTER TABLE events ADD CONSTRAINT loose UNIQUE (id)",
        "ALTER TABLE bookings ADD CONSTRAINT fk_loose FOREIGN KEY (event_id) REFERENCES events (id)",
    ),
    "X1 a leg about another agency's event": (
        PAST_TRIGGERS,
        "UPDATE journal_legs SET tenant_id = '{other}' WHERE event_id = '{event}'",
    ),
    "L1 a message nobody delivered": (
        "UPDATE outbox SET delivered_at = NULL, created_at = now() - interval '2 min' WHERE kind = 'START'",
    ),
    "L1 an operation that never ended": (
        "UPDATE operations SET status = 'running', created_at = now() - interval '2 min' WHERE status = 'succeeded'",
    ),
    "L1 a document that was never made": ("UPDATE documents SET created_at = now() - interval '2 min'",),
    "L1 an event that nobody closed": (
        "UPDATE events SET closed_at = NULL, created_at = now() - interval '1 day' WHERE end_at < now()",
    ),
    "B1100 a capture the provider did not make": (
        PAST_TRIGGERS,
        "UPDATE journal_legs SET amount = amount + 1 WHERE account = '1100' AND kind = 'CAPTURED'",
    ),
    "B1110 a customer who owes nothing": (
        PAST_TRIGGERS,
        "UPDATE journal_legs SET amount = 0, quantity = 1 WHERE account = '1110' AND kind = 'SALE'",
    ),
    "B1200 a seat sold past the books": ("UPDATE event_seats SET status = 'SOLD' WHERE id = '{free}'",),
    "B1200 a write-off past the books": ("UPDATE event_seats SET written_off = true WHERE id = '{free}'",),
    "B1200 a seat at another cost": ("UPDATE event_seats SET cost = cost + 1 WHERE id = '{free}'",),
    "B1300 an advance that was never paid": (
        "UPDATE supplier_payments SET advance_amount = advance_amount + 1, amount = amount + 1 WHERE advance_amount > 0",
    ),
    "B2100 a bill that is open past the books": ("UPDATE bills SET amount = amount + 1 WHERE id = '{bill}'",),
    "B2100 goods that wait for a bill": (
        PAST_TRIGGERS,
        "UPDATE journal_legs SET amount = amount - 1 WHERE account = '2110' AND kind = 'DELIVERY'",
    ),
    "B2200 a refund that nobody owes": ("UPDATE refunds SET status = 'SETTLED' WHERE status = 'REQUESTED'",),
    "B2210 money nobody has decided on": (
        PAST_TRIGGERS,
        "UPDATE journal_legs SET account = '2210' WHERE account = '2100' AND kind = 'BILL_PAID'",
    ),
}
