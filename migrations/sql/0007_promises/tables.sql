-- A promise that has to be let go is known until the provider has been asked, so that its process is missed when the engine loses it.

ALTER TABLE payments ADD COLUMN void_due BOOLEAN DEFAULT false NOT NULL;
ALTER TABLE payments ADD CONSTRAINT ck_payments_void_of_what_failed CHECK (status = 'FAILED' OR NOT void_due);
CREATE INDEX ix_payments_void_due ON payments (tenant_id, booking_id) WHERE void_due;
