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
    JOIN records AS r ON r.id = asked.id
    JOIN specs AS s ON s.id = r.id
    JOIN queues AS q ON q.id = r.queue_id
$$;

-- Per name the numbers of v1.QueueStats, in order; NULLs for a queue that does not exist.
CREATE FUNCTION queue_stats(names text[], now_us bigint) RETURNS TABLE (
    pending bigint, running bigint, scheduled bigint, retrying bigint, dead bigint, completed_total bigint,
    failed_total bigint, finished_last_minute bigint, oldest_ready_at_us bigint, paused boolean
) LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT t.pending, t.running, t.scheduled, t.retrying, t.dead, t.completed, t.failed, t.last_minute,
           (SELECT l.ready_at_us FROM line AS l WHERE l.queue_id = q.id ORDER BY l.place LIMIT 1), q.paused
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
