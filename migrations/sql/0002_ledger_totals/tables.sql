-- The tables, as db/tables describes them; a test compares the two.

CREATE TABLE ledger_stretches (
    tenant_id UUID NOT NULL,
    span TEXT NOT NULL,
    ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_ledger_stretches PRIMARY KEY (tenant_id, span, ends_at),
    CONSTRAINT ck_ledger_stretches_span CHECK (span IN ('DAY', 'MONTH'))
);

CREATE TABLE ledger_totals (
    tenant_id UUID NOT NULL,
    span TEXT NOT NULL,
    ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
    line INTEGER NOT NULL,
    account TEXT NOT NULL,
    currency TEXT NOT NULL,
    event_id UUID,
    supplier_id UUID,
    section TEXT,
    effective_from DATE NOT NULL,
    accounting_from DATE NOT NULL,
    amount NUMERIC(20, 2) NOT NULL,
    quantity BIGINT NOT NULL,
    CONSTRAINT pk_ledger_totals PRIMARY KEY (tenant_id, span, ends_at, line),
    CONSTRAINT fk_ledger_totals_tenant_id_span_ends_at FOREIGN KEY(tenant_id, span, ends_at) REFERENCES ledger_stretches (tenant_id, span, ends_at)
);

CREATE INDEX ix_ledger_totals_accounting_from ON ledger_totals (tenant_id, span, accounting_from);

CREATE INDEX ix_ledger_totals_effective_from ON ledger_totals (tenant_id, span, effective_from);

CREATE INDEX ix_ledger_totals_event_id ON ledger_totals (tenant_id, event_id);

CREATE INDEX ix_journal_entries_recorded_at ON journal_entries (tenant_id, recorded_at);
