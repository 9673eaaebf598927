-- Which process is to make a paper, so that one whose process the engine has lost is asked for again.

ALTER TABLE documents ADD COLUMN process_id TEXT;
CREATE INDEX ix_documents_unmade ON documents (created_at) WHERE storage_key IS NULL AND failure IS NULL;
