-- What thousands of rows of one delivery ask of the same receipt or entry is asked once a statement, not once a row.

-- Nobody asks for the seats of an order: a seat names its order, an order its receipts, a receipt its seats.
DROP INDEX ix_event_seats_order;

-- A seat's order and supplier are those of its receipt, which has them checked.
ALTER TABLE receipts ADD CONSTRAINT uq_receipts_whose UNIQUE (tenant_id, id, purchase_order_id, supplier_id);
ALTER TABLE event_seats
    DROP CONSTRAINT fk_event_seats_tenant_id_supplier_id,
    DROP CONSTRAINT fk_event_seats_tenant_id_purchase_order_id,
    ADD CONSTRAINT fk_event_seats_receipt FOREIGN KEY (tenant_id, receipt_id, purchase_order_id, supplier_id)
        REFERENCES receipts (tenant_id, id, purchase_order_id, supplier_id);

CREATE FUNCTION lists_seats_of_its_receipt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM added AS a WHERE NOT EXISTS (
                   SELECT FROM event_seats s
                   WHERE s.tenant_id = a.tenant_id AND s.id = a.event_seat_id AND s.receipt_id = a.receipt_id)) THEN
        RAISE EXCEPTION 'a receipt lists the seats that came by it' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER lists_seats_of_its_receipt AFTER INSERT ON receipt_seats
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION lists_seats_of_its_receipt();

CREATE FUNCTION delivered_seats_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a receipt lists seat %', OLD.id USING ERRCODE = 'foreign_key_violation';
END $$;

CREATE TRIGGER delivered_seats_stay BEFORE DELETE ON event_seats
    FOR EACH ROW WHEN (OLD.receipt_id IS NOT NULL) EXECUTE FUNCTION delivered_seats_stay();

ALTER TABLE receipt_seats
    DROP CONSTRAINT fk_receipt_seats_tenant_id_receipt_id,
    DROP CONSTRAINT fk_receipt_seats_tenant_id_event_seat_id;

-- That the entry is there is part of its being this transaction's; it can never be deleted.
CREATE OR REPLACE FUNCTION joins_no_old_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM (SELECT DISTINCT tenant_id, entry_id FROM added) AS a
               LEFT JOIN journal_entries e ON e.tenant_id = a.tenant_id AND e.id = a.entry_id
               WHERE e.written_by_tx IS DISTINCT FROM pg_current_xact_id()::text) THEN
        RAISE EXCEPTION 'a journal entry is complete when its transaction ends' USING ERRCODE = 'AL003';
    END IF;
    RETURN NULL;
END $$;

ALTER TABLE seat_movements DROP CONSTRAINT fk_seat_movements_tenant_id_entry_id;
