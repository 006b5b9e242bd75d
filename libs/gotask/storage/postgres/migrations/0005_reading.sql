-- Every job's record, wherever it is.
CREATE VIEW records AS
SELECT id, queue_id, 2::smallint AS state, attempt, forgiven, ready_at_us, NULL::bigint AS due_at_us,
       NULL::bigint AS lease_until_us, worker, started_at_us, NULL::bigint AS finished_at_us, false AS cancel_requested,
       expires_at_us, NULL::bytea AS progress, NULL::bytea AS result, NULL::bytea AS history
FROM line
UNION ALL
SELECT id, queue_id, 3::smallint, attempt, forgiven, ready_at_us, NULL, lease_until_us, worker, started_at_us, NULL,
       cancel_requested, expires_at_us, progress, NULL, NULL
FROM running
UNION ALL
SELECT id, queue_id, state, attempt, forgiven, ready_at_us, due_at_us, NULL, worker, started_at_us, NULL, false,
       expires_at_us, NULL, NULL, NULL
FROM delayed
UNION ALL
SELECT id, queue_id, state, attempt, forgiven, ready_at_us, NULL, NULL, worker, started_at_us, finished_at_us,
       cancel_requested, NULL, progress, result, history
FROM ended;

-- Jobs by id, as they stand; no row for one that does not exist.
CREATE FUNCTION get_jobs(ids uuid[]) RETURNS TABLE (
    id uuid, spec bytea, state smallint, attempt int, forgiven int, ready_at_us bigint, due_at_us bigint,
    lease_until_us bigint, worker text, started_at_us bigint, finished_at_us bigint, cancel_requested boolean,
    progress bytea, result bytea, history bytea
) LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT r.id, s.spec, r.state, r.attempt, r.forgiven, r.ready_at_us, r.due_at_us, r.lease_until_us, r.worker,
           r.started_at_us, r.finished_at_us, r.cancel_requested, r.progress, r.result,
           coalesce(
               (SELECT string_agg(a.history, '' ORDER BY a.attempt) FROM attempts AS a WHERE a.job_id = r.id), ''
           ) || coalesce(r.history, '')
    FROM (SELECT DISTINCT unnest(ids) AS id) AS asked
    CROSS JOIN LATERAL (SELECT * FROM records WHERE records.id = asked.id OFFSET 0) AS r
    CROSS JOIN LATERAL (SELECT specs.spec FROM specs WHERE specs.id = r.id OFFSET 0) AS s
    JOIN queues AS q ON q.id = r.queue_id
$$;

-- One step of a listing: looks at up to `most` jobs in the states asked for (NULL: in all), newest id first. Returns the
-- ids of those that meet every criterion that is not NULL, and the id it came to: NULL when there are no more.
CREATE FUNCTION scan_jobs(
    below uuid, most bigint, states smallint[], queue text, job_type text, tag text, created_from bigint,
    created_before bigint, OUT matching uuid[], OUT came_to uuid
) LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
DECLARE
    seen uuid[];
BEGIN
    below := coalesce(below, 'ffffffff-ffff-ffff-ffff-ffffffffffff');
    IF states IS NULL THEN
        seen := ARRAY(SELECT id FROM specs WHERE id < below ORDER BY id DESC LIMIT most);
    ELSE
        seen := ARRAY(
            SELECT one.id FROM unnest(states) AS wanted (state) CROSS JOIN LATERAL (
                (SELECT l.id FROM line AS l WHERE wanted.state = 2 AND l.id < below ORDER BY l.id DESC LIMIT most)
                UNION ALL
                (SELECT r.id FROM running AS r WHERE wanted.state = 3 AND r.id < below ORDER BY r.id DESC LIMIT most)
                UNION ALL
                (SELECT d.id FROM delayed AS d WHERE wanted.state IN (1, 4) AND d.state = wanted.state AND d.id < below
                 ORDER BY d.id DESC LIMIT most)
                UNION ALL
                (SELECT e.id FROM ended AS e WHERE wanted.state = 5 AND e.state = 5 AND e.id < below
                 ORDER BY e.id DESC LIMIT most)
                UNION ALL
                (SELECT e.id FROM ended AS e WHERE e.state > 5 AND e.state = wanted.state AND e.id < below
                 ORDER BY e.state DESC, e.id DESC LIMIT most)
            ) AS one
            ORDER BY one.id DESC LIMIT most
        );
    END IF;
    came_to := CASE WHEN cardinality(seen) = most THEN seen[most] END;
    matching := ARRAY(
        SELECT s.id FROM unnest(seen) WITH ORDINALITY AS one (id, n)
        CROSS JOIN LATERAL (SELECT * FROM specs WHERE specs.id = one.id OFFSET 0) AS s
        JOIN queues AS q ON q.id = s.queue_id
        WHERE (queue IS NULL OR q.name = queue)
          AND (job_type IS NULL OR s.type = job_type)
          AND (tag IS NULL OR tag = ANY(s.tags))
          AND (created_from IS NULL OR s.created_at_us >= created_from)
          AND (created_before IS NULL OR s.created_at_us < created_before)
        ORDER BY one.n
    );
END $$;

-- Per name the numbers of v1.QueueStats, in order; NULLs for a queue that does not exist.
CREATE FUNCTION queue_stats(names text[], now_us bigint) RETURNS TABLE (
    pending bigint, running bigint, scheduled bigint, retrying bigint, dead bigint, completed_total bigint,
    failed_total bigint, finished_last_minute bigint, oldest_ready_at_us bigint, paused boolean
) LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT t.pending, t.running, t.scheduled, t.retrying, t.dead, t.completed, t.failed, t.last_minute,
           (SELECT l.ready_at_us FROM stretches(q.id) AS s CROSS JOIN LATERAL (
                SELECT line.ready_at_us FROM line WHERE queue_id = q.id AND place >= s.since AND place < s.until
                ORDER BY place LIMIT 1
            ) AS l LIMIT 1), q.paused
    FROM unnest(names) WITH ORDINALITY AS asked (name, n)
    LEFT JOIN queues AS q ON q.name = asked.name
    LEFT JOIN LATERAL (
        SELECT sum(pending)::bigint AS pending, sum(running)::bigint AS running, sum(scheduled)::bigint AS scheduled,
               sum(retrying)::bigint AS retrying, sum(dead)::bigint AS dead, sum(completed)::bigint AS completed,
               sum(failed)::bigint AS failed,
               (sum(completed + failed) FILTER (WHERE bucket > now_us / 10000000 - 6))::bigint AS last_minute
        FROM tallies WHERE queue_id = q.id
    ) AS t ON true
    ORDER BY asked.n
$$;

CALL fix_plans();
