-- Of an agency that has come since the last ANALYZE the planner expects one seat, and would read all of its seats again and again
-- for each of a first delivery's, from memory: 40,000 of them ran into the statement timeout. Without that memory it hashes them.
ALTER FUNCTION lists_seats_of_its_receipt() SET enable_material = off;
