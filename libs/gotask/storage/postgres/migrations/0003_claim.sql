-- The first place of the priority that a place belongs to.
CREATE FUNCTION first_place(place bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT place >> 55 << 55
$$;

-- The stretches of a queue's line in which jobs may wait, in order; `until` is not in them.
CREATE FUNCTION stretches(queue int, OUT since bigint, OUT until bigint) RETURNS SETOF record LANGUAGE sql STABLE AS $$
    SELECT lag(g.until, 1, -9223372036854775808) OVER (ORDER BY g.since), g.since
    FROM (
        SELECT gaps.since, gaps.until FROM gaps WHERE queue_id = queue AND gaps.until > gaps.since
        UNION ALL
        SELECT 9223372036854775807, 9223372036854775807
    ) AS g
$$;

-- Moves the ends of gaps on. A place is passed over when nothing is there, and nothing can come there any more: places
-- are numbered by transactions that have their own number by then, so that those which could still fill one before the
-- candidate have ended when all have that were there when it was chosen. A job that comes back into its old place moves
-- the end back; it waits for this, or this leaves the gap to it.
CREATE FUNCTION raise_gaps() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    gap record;
    numbered bigint;
    head bigint;
BEGIN
    FOR gap IN SELECT * FROM gaps ORDER BY queue_id, since FOR NO KEY UPDATE SKIP LOCKED LOOP
        IF gap.candidate_xid <= txid_snapshot_xmin(txid_current_snapshot()) AND NOT EXISTS (
            SELECT FROM line WHERE queue_id = gap.queue_id AND place >= gap.until AND place < gap.candidate
        ) THEN
            UPDATE gaps SET until = candidate WHERE queue_id = gap.queue_id AND since = gap.since;
            gap.until := gap.candidate;
        END IF;
        SELECT last_value + is_called::int INTO numbered FROM arrivals;
        SELECT place INTO head FROM line
        WHERE queue_id = gap.queue_id AND place >= gap.until AND place < gap.since + numbered
        ORDER BY place LIMIT 1;
        head := coalesce(head, gap.since + numbered);
        IF gap.candidate IS DISTINCT FROM head THEN
            UPDATE gaps SET candidate = head, candidate_xid = txid_snapshot_xmax(txid_current_snapshot())
            WHERE queue_id = gap.queue_id AND since = gap.since;
        END IF;
    END LOOP;
END $$;

-- Ends pending jobs that are past their time among the next `wanted` of a queue; their ids, in line's order.
CREATE FUNCTION expire_head(now_us bigint, queue int, wanted bigint) RETURNS SETOF uuid LANGUAGE plpgsql AS $$
BEGIN
    LOOP
        RETURN QUERY
            WITH head AS (
                SELECT l.* FROM stretches(queue) AS s CROSS JOIN LATERAL (
                    SELECT ctid AS at, expires_at_us <= now_us IS TRUE AS is_over FROM line
                    WHERE queue_id = queue AND place >= s.since AND place < s.until
                    ORDER BY place LIMIT wanted FOR UPDATE SKIP LOCKED
                ) AS l LIMIT wanted
            ), gone AS (
                DELETE FROM line USING head WHERE line.ctid = head.at AND head.is_over RETURNING line.*
            ), ends AS (
                INSERT INTO ended (
                    id, finished_at_us, queue_id, attempt, forgiven, state, ready_at_us, started_at_us, worker
                )
                SELECT id, now_us, queue_id, attempt, forgiven, 9, ready_at_us, started_at_us, worker FROM gone
            ), freed AS (
                DELETE FROM unique_keys WHERE job_id = ANY(ARRAY(SELECT id FROM gone WHERE keyed))
            )
            SELECT id FROM gone ORDER BY place;
        EXIT WHEN NOT FOUND;
    END LOOP;
END $$;

-- Leases jobs. `shares_of`, `share_queues` (indexes of `queue_names`) and `share_limits` have one element per share, in
-- the order in which the slots (`workers`, `capacities`) take them.
-- Returns leased jobs: slot, queue, NULL, spec, attempt, tries, since when it was ready; and, with no slot, those found
-- to be past their time: queue and id.
CREATE FUNCTION claim_jobs(
    now_us bigint, lease_until bigint, queue_names text[], workers text[], capacities bigint[],
    shares_of int[], share_queues int[], share_limits bigint[]
) RETURNS TABLE (slot int, queue int, expired uuid, spec bytea, attempt int, tries int, ready_at_us bigint)
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    queue_ids int[] := array_fill(NULL::int, ARRAY[cardinality(queue_names)]);
    rooms bigint[] := array_fill(0::bigint, ARRAY[cardinality(queue_names)]);
    tokens_left float8[] := array_fill(NULL::float8, ARRAY[cardinality(queue_names)]);
    started bigint[] := array_fill(0::bigint, ARRAY[cardinality(queue_names)]);
    lapsed bigint[] := array_fill(0::bigint, ARRAY[cardinality(queue_names)]);
    expiring boolean;
    known record;
    limits record;
    wanted bigint;
    got bigint;
BEGIN
    FOR known IN
        SELECT array_position(queue_names, name) AS number, id, paused, max_workers > 0 OR rate_limit > 0 AS limited
        FROM queues WHERE name = ANY(queue_names) ORDER BY id
    LOOP
        queue_ids[known.number] := known.id;
        IF known.limited THEN
            limits := hold_room(now_us, known.id);
            rooms[known.number] := limits.room;
            tokens_left[known.number] := limits.tokens;
        ELSIF NOT known.paused THEN
            rooms[known.number] := 9e18;
        END IF;
    END LOOP;
    expiring := EXISTS (SELECT FROM line WHERE expires_at_us <= now_us);

    FOR share IN 1 .. cardinality(shares_of) LOOP
        slot := shares_of[share];
        queue := share_queues[share];
        wanted := least(share_limits[share], capacities[slot], rooms[queue]);
        CONTINUE WHEN wanted <= 0;
        IF expiring THEN
            RETURN QUERY
                SELECT 0, queue, id, NULL::bytea, 0, 0, 0::bigint FROM expire_head(now_us, queue_ids[queue], wanted) AS id;
            GET DIAGNOSTICS got = ROW_COUNT;
            lapsed[queue] := lapsed[queue] + got;
        END IF;
        RETURN QUERY
            WITH head AS (
                SELECT l.at FROM stretches(queue_ids[queue]) AS s CROSS JOIN LATERAL (
                    SELECT ctid AS at FROM line
                    WHERE queue_id = queue_ids[queue] AND place >= s.since AND place < s.until
                      AND (expires_at_us IS NULL OR expires_at_us > now_us)
                    ORDER BY place LIMIT wanted FOR UPDATE SKIP LOCKED
                ) AS l LIMIT wanted
            ), taken AS (
                DELETE FROM line USING head WHERE line.ctid = head.at RETURNING line.*
            ), begun AS (
                INSERT INTO running (
                    id, place, queue_id, attempt, forgiven, keyed, ready_at_us, started_at_us, lease_until_us, worker,
                    expires_at_us
                )
                SELECT t.id, t.place, t.queue_id, t.attempt + 1, t.forgiven, t.keyed, t.ready_at_us, now_us, lease_until,
                       workers[slot], t.expires_at_us
                FROM taken AS t
            ), noted AS (
                INSERT INTO gaps (queue_id, since, until)
                -- Asked first: ON CONFLICT alone would wait for whoever moves the gap's end.
                SELECT n.queue_id, n.since, n.since
                FROM (SELECT DISTINCT t.queue_id, first_place(t.place) AS since FROM taken AS t) AS n
                WHERE NOT EXISTS (SELECT FROM gaps WHERE gaps.queue_id = n.queue_id AND gaps.since = n.since)
                ON CONFLICT DO NOTHING
            )
            SELECT slot, queue, NULL::uuid, s.spec, t.attempt + 1, t.attempt + 1 - t.forgiven, t.ready_at_us
            FROM taken AS t CROSS JOIN LATERAL (SELECT specs.spec FROM specs WHERE specs.id = t.id OFFSET 0) AS s
            ORDER BY t.place;
        GET DIAGNOSTICS got = ROW_COUNT;
        capacities[slot] := capacities[slot] - got;
        rooms[queue] := CASE WHEN got < wanted THEN 0 ELSE rooms[queue] - got END;
        started[queue] := started[queue] + got;
    END LOOP;

    INSERT INTO tallies (queue_id, bucket, pending, running)
    SELECT id, 0, -n - m, n FROM unnest(queue_ids, started, lapsed) AS q (id, n, m) WHERE n + m > 0;
    IF FOUND THEN
        UPDATE queues AS q SET tokens = t.left_over - t.n, tokens_at_us = greatest(now_us, q.tokens_at_us)
        FROM unnest(queue_ids, tokens_left, started) AS t (id, left_over, n)
        WHERE q.id = t.id AND t.left_over IS NOT NULL AND t.n > 0;
        PERFORM fold_tallies(now_us);
    END IF;
END $$;

-- How many jobs a limited queue may start now, and what its token bucket holds (NULL for no rate limit): one second's
-- worth at most, at least one. Other calls that ask wait for the end of this one.
CREATE FUNCTION hold_room(now_us bigint, queue int, OUT room bigint, OUT tokens float8) LANGUAGE plpgsql AS $$
DECLARE
    q record;
BEGIN
    SELECT * INTO q FROM queues WHERE id = queue FOR NO KEY UPDATE;
    room := CASE WHEN q.paused IS FALSE THEN 9e18 ELSE 0 END;
    IF q.max_workers > 0 THEN
        room := least(room, q.max_workers - (SELECT coalesce(sum(running), 0) FROM tallies WHERE queue_id = queue));
    END IF;
    IF q.rate_limit > 0 THEN
        tokens := greatest(q.rate_limit, 1);
        IF q.tokens_at_us > 0 THEN
            tokens := least(tokens, q.tokens + greatest(now_us - q.tokens_at_us, 0) * q.rate_limit / 1000000);
        END IF;
        room := least(room, floor(tokens));
    END IF;
END $$;

CALL fix_plans();
