"""Papers and reports: what a query found, made into a page, a table or a mail; nothing here writes."""
