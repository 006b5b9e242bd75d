-- Ends attempts. The arrays have one element per outcome, or are NULL where no outcome has the field; of outcomes that do
-- not succeed, `error_types` and `error_messages` are kept for people. `one_by_one` says that ids repeat.
-- Returns what did not go as asked: position, status (0 applied, 1 stale, 2 repeated), state.
CREATE FUNCTION finish_jobs(
    now_us bigint, one_by_one boolean, ids uuid[], attempts_of bigint[], states smallint[], histories bytea[],
    results bytea[], due_at bigint[], forgiven_of boolean[], error_types text[], error_messages text[]
) RETURNS TABLE ("position" int, status int, state smallint) LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    applied int[];
    again int[];
    one int;
BEGIN
    IF one_by_one THEN
        again := ARRAY(SELECT generate_series(1, cardinality(ids)));
    ELSE
        WITH given AS (
            -- In the order of ids, so that calls which lock the same jobs wait for each other and not in a circle.
            SELECT * FROM unnest(
                ids, attempts_of, states, histories, results, due_at, forgiven_of, error_types, error_messages
            ) WITH ORDINALITY AS g (id, attempt, state, history, result, due_at, forgiven, error_type, error_message, n)
            ORDER BY g.id
        ), found AS (
            SELECT g.*, r.at FROM given AS g CROSS JOIN LATERAL (
                SELECT ctid AS at FROM running WHERE running.id = g.id AND running.attempt = g.attempt OFFSET 0
            ) AS r
        ), gone AS (
            DELETE FROM running AS r USING found AS g WHERE r.ctid = g.at
            RETURNING g.n, g.state AS asked, g.history, g.result, g.due_at, g.error_type, g.error_message,
                CASE WHEN r.cancel_requested AND g.state IN (2, 4) THEN 8::smallint ELSE g.state END AS state,
                r.id, r.place, r.queue_id, r.attempt, r.forgiven + coalesce(g.forgiven, false)::int AS forgiven, r.keyed,
                r.cancel_requested, r.ready_at_us, r.started_at_us, r.worker, r.expires_at_us, r.progress
        ), ends AS (
            INSERT INTO ended (
                id, finished_at_us, queue_id, attempt, forgiven, state, cancel_requested, ready_at_us, started_at_us, worker,
                progress, result, history
            )
            SELECT g.id, now_us, g.queue_id, g.attempt, g.forgiven, g.state, g.cancel_requested, g.ready_at_us,
                g.started_at_us, g.worker, g.progress, CASE WHEN g.state = 5 THEN g.result END,
                CASE WHEN g.state = 5 THEN g.history END
            FROM gone AS g WHERE g.state > 4
        ), goes_back AS (
            INSERT INTO line (
                id, place, queue_id, attempt, forgiven, keyed, ready_at_us, expires_at_us, started_at_us, worker
            )
            SELECT g.id, g.place, g.queue_id, g.attempt, g.forgiven, g.keyed, now_us, g.expires_at_us, g.started_at_us,
                g.worker
            FROM gone AS g WHERE g.state = 2
        ), reopened AS (
            UPDATE gaps SET until = least(gaps.until, b.place), candidate = NULL, candidate_xid = NULL
            FROM (SELECT g.queue_id, first_place(min(g.place)) AS since, min(g.place) AS place
                  FROM gone AS g WHERE g.state = 2 GROUP BY g.queue_id, first_place(g.place)) AS b
            WHERE gaps.queue_id = b.queue_id AND gaps.since = b.since
        ), waits AS (
            INSERT INTO delayed (
                id, due_at_us, queue_id, attempt, forgiven, state, keyed, ready_at_us, expires_at_us, started_at_us, worker
            )
            SELECT g.id, g.due_at, g.queue_id, g.attempt, g.forgiven, 4, g.keyed, g.ready_at_us, g.expires_at_us,
                g.started_at_us, g.worker
            FROM gone AS g WHERE g.state = 4
        ), told AS (
            INSERT INTO attempts
            SELECT g.id, g.attempt, now_us, g.worker, g.error_type, g.error_message, g.history
            FROM gone AS g WHERE g.state <> 5 AND g.history <> ''
        ), freed AS (
            DELETE FROM unique_keys WHERE job_id = ANY(ARRAY(SELECT g.id FROM gone AS g WHERE g.keyed AND g.state > 4))
        ), counted AS (
            INSERT INTO tallies (queue_id, bucket, pending, running, retrying, dead, completed, failed)
            SELECT g.queue_id, now_us / 10000000, count(*) FILTER (WHERE g.state = 2), -count(*),
                count(*) FILTER (WHERE g.state = 4), count(*) FILTER (WHERE g.state = 7),
                count(*) FILTER (WHERE g.state = 5), count(*) FILTER (WHERE g.state IN (6, 7))
            FROM gone AS g GROUP BY g.queue_id
        )
        SELECT array_agg(g.n::int * CASE WHEN g.state = g.asked THEN 1 ELSE -1 END) INTO applied FROM gone AS g;
        PERFORM fold_tallies(now_us);

        -- Applied, but cancelled instead: their positions are negative.
        RETURN QUERY SELECT -n, 0, 8::smallint FROM unnest(applied) AS n WHERE n < 0;
        IF cardinality(applied) = cardinality(ids) THEN
            RETURN;
        END IF;
        -- A job that another call changed between the look and the deed is looked at again.
        SELECT array_agg(g.n::int) INTO again
        FROM unnest(ids, attempts_of) WITH ORDINALITY AS g (id, attempt, n)
        CROSS JOIN LATERAL (SELECT FROM running WHERE running.id = g.id AND running.attempt = g.attempt OFFSET 0) AS r;
        RETURN QUERY
            SELECT n::int, CASE WHEN left_as = now_is THEN 2 ELSE 1 END,
                CASE WHEN left_as = now_is THEN now_is ELSE 0::smallint END
            FROM (
                SELECT g.n, r.state AS now_is,
                    CASE WHEN r.cancel_requested AND g.state IN (2, 4) THEN 8::smallint ELSE g.state END AS left_as
                FROM unnest(ids, attempts_of, states) WITH ORDINALITY AS g (id, attempt, state, n)
                LEFT JOIN LATERAL (
                    SELECT * FROM records WHERE records.id = g.id AND records.attempt = g.attempt OFFSET 0
                ) AS r ON true
                WHERE (g.n = ANY(applied) OR -g.n = ANY(applied) OR g.n = ANY(again)) IS NOT TRUE
            ) AS rest;
    END IF;

    FOREACH one IN ARRAY coalesce(again, '{}') LOOP
        RETURN QUERY
            SELECT one, f.status, f.state FROM finish_jobs(
                now_us, false, ids[one:one], attempts_of[one:one], states[one:one], histories[one:one],
                results[one:one], due_at[one:one], forgiven_of[one:one], error_types[one:one], error_messages[one:one]
            ) AS f;
    END LOOP;
END $$;

-- Locks running jobs, in the order of their ids.
CREATE FUNCTION hold_running(ids uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM (SELECT DISTINCT id FROM unnest(ids) AS id ORDER BY id) AS ordered
    CROSS JOIN LATERAL (SELECT FROM running WHERE running.id = ordered.id FOR UPDATE) AS r;
END $$;

-- Makes each lease last until its `until`. Returns statuses in order: 0 extended, 1 lost, 2 to be cancelled.
CREATE FUNCTION extend_leases(ids uuid[], attempts_of bigint[], until bigint[]) RETURNS int[]
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM hold_running(ids);
    WITH given AS (
        SELECT DISTINCT ON (g.id, g.attempt) g.id, g.attempt, g.until
        FROM unnest(ids, attempts_of, until) WITH ORDINALITY AS g (id, attempt, until, n)
        ORDER BY g.id, g.attempt, g.n DESC
    ), held AS (
        SELECT g.until, r.at FROM given AS g CROSS JOIN LATERAL (
            SELECT ctid AS at FROM running WHERE running.id = g.id AND running.attempt = g.attempt OFFSET 0
        ) AS r
    )
    UPDATE running SET lease_until_us = held.until FROM held WHERE running.ctid = held.at;
    RETURN (
        SELECT array_agg(CASE WHEN r.id IS NULL THEN 1 WHEN r.cancel_requested THEN 2 ELSE 0 END ORDER BY g.n)
        FROM unnest(ids, attempts_of) WITH ORDINALITY AS g (id, attempt, n)
        LEFT JOIN LATERAL (
            SELECT id, cancel_requested FROM running WHERE running.id = g.id AND running.attempt = g.attempt OFFSET 0
        ) AS r ON true
    );
END $$;

-- Records progress of running attempts; in order, whether each was.
CREATE FUNCTION set_progress(ids uuid[], attempts_of bigint[], told bytea[]) RETURNS boolean[]
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM hold_running(ids);
    WITH given AS (
        SELECT DISTINCT ON (g.id, g.attempt) g.id, g.attempt, g.told
        FROM unnest(ids, attempts_of, told) WITH ORDINALITY AS g (id, attempt, told, n)
        ORDER BY g.id, g.attempt, g.n DESC
    ), held AS (
        SELECT g.told, r.at FROM given AS g CROSS JOIN LATERAL (
            SELECT ctid AS at FROM running WHERE running.id = g.id AND running.attempt = g.attempt OFFSET 0
        ) AS r
    )
    UPDATE running SET progress = held.told FROM held WHERE running.ctid = held.at;
    RETURN (
        SELECT array_agg(r.id IS NOT NULL ORDER BY g.n)
        FROM unnest(ids, attempts_of) WITH ORDINALITY AS g (id, attempt, n)
        LEFT JOIN LATERAL (
            SELECT id, cancel_requested FROM running WHERE running.id = g.id AND running.attempt = g.attempt OFFSET 0
        ) AS r ON true
    );
END $$;

-- Running jobs whose lease is over, longest first.
CREATE FUNCTION expired_leases(now_us bigint, most bigint)
RETURNS TABLE (id uuid, queue text, attempt int, worker text) LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT r.id, q.name, r.attempt, r.worker
    FROM (SELECT * FROM running WHERE lease_until_us <= now_us ORDER BY lease_until_us, id LIMIT most) AS r
    JOIN queues AS q ON q.id = r.queue_id
    ORDER BY r.lease_until_us, r.id
$$;

CALL fix_plans();
