-- What tells histories apart, version 31. A hub that was restored to an earlier moment, or whose server has lost what it had
-- acknowledged, gives the same numbers to other entries. Each entry has a mark that no other has; devices remember those of
-- the entries that they have taken in, and find the newest one that both have.
ALTER TABLE entry ADD COLUMN mark uuid NOT NULL DEFAULT gen_random_uuid();

CREATE OR REPLACE VIEW hub_free.entry WITH (security_barrier) AS
    SELECT seq, kind, device, sport, source, first, last, since, until, changes, stored_at, mark
    FROM hub.entry WHERE seq <= (SELECT hub.horizon_entry());
