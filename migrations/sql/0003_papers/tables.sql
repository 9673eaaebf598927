-- A fourth kind of message: a paper that is printed with others.

ALTER TABLE outbox DROP CONSTRAINT ck_outbox_kind;
ALTER TABLE outbox ADD CONSTRAINT ck_outbox_kind CHECK (kind IN ('START', 'UPDATE', 'PAPER', 'MAIL'));
