-- The planner's figures about seats, counted again by whoever has just added many of them.

-- Runs as the tables' owner, for only the owner may; it takes no argument, reads no row for its caller and changes none.
CREATE FUNCTION refresh_seat_figures() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    LOCK TABLE public.event_seats, public.venue_seats IN SHARE UPDATE EXCLUSIVE MODE NOWAIT;
    ANALYZE public.event_seats, public.venue_seats;
EXCEPTION WHEN lock_not_available THEN
    -- Somebody is counting already.
    RETURN;
END $$;

DO $$ BEGIN
    REVOKE ALL ON FUNCTION refresh_seat_figures() FROM PUBLIC;
    EXECUTE format('GRANT EXECUTE ON FUNCTION refresh_seat_figures() TO %I', current_database() || '_rights');
END $$;
