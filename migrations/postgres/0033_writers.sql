-- A collector that is cut off in the middle of a write holds nobody up.

-- Refuses whoever does not hold the lease of a sport with this token; holds on to it until the transaction ends. Until then
-- nobody else gets the sport, while the holder can go on renewing, as with hub.fence.
CREATE OR REPLACE FUNCTION hub.check_lease(p_device int, p_sport int, p_token bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM FROM hub.lease JOIN hub.name AS n ON n.kind = 1 AND n.name = lease.sport
    WHERE n.number = p_sport AND lease.device = p_device AND lease.token = p_token AND lease.until > clock_timestamp()
    FOR KEY SHARE OF lease;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'another collector has this sport' USING ERRCODE = 'SH001';
    END IF;
    -- A writer whose commit does not come must keep neither the sport nor the head of the log for longer than a lease runs.
    PERFORM set_config('idle_in_transaction_session_timeout', '5s', true);
END $$;
