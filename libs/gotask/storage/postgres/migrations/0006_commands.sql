-- Locks a job's record, wherever it is, and tells its state; NULL when there is no such job.
CREATE FUNCTION hold(job uuid) RETURNS smallint LANGUAGE plpgsql AS $$
DECLARE
    found_state smallint;
BEGIN
    -- Again when the record moved between the looks.
    FOR look IN 1 .. 100 LOOP
        PERFORM FROM line WHERE id = job FOR UPDATE;
        IF FOUND THEN RETURN 2; END IF;
        PERFORM FROM running WHERE id = job FOR UPDATE;
        IF FOUND THEN RETURN 3; END IF;
        SELECT state INTO found_state FROM delayed WHERE id = job FOR UPDATE;
        IF FOUND THEN RETURN found_state; END IF;
        SELECT state INTO found_state FROM ended WHERE id = job FOR UPDATE;
        IF FOUND THEN RETURN found_state; END IF;
        PERFORM FROM specs WHERE id = job;
        IF NOT FOUND THEN RETURN NULL; END IF;
    END LOOP;
    RAISE EXCEPTION 'job % has no record', job;
END $$;

-- Locks jobs in the order of their ids, so that calls which lock the same jobs wait for each other and not in a circle.
CREATE FUNCTION hold_all(ids uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM hold(id) FROM (SELECT DISTINCT id FROM unnest(ids) AS id ORDER BY id) AS ordered;
END $$;

-- What a command did to a job that is held.
CREATE TYPE change AS (changed boolean, state smallint, queue text, worker text);

CREATE FUNCTION change_of(job uuid, has_changed boolean) RETURNS change LANGUAGE sql STABLE AS $$
    SELECT (has_changed, r.state, q.name, CASE WHEN r.state = 3 THEN r.worker END)::change
    FROM records AS r JOIN queues AS q ON q.id = r.queue_id WHERE r.id = job
$$;

-- Ends a job that is held, if it waits; whether it did.
CREATE FUNCTION end_waiting(job uuid, now_us bigint, new_state smallint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    waited boolean;
    held_key boolean;
BEGIN
    WITH lined_up AS (
        DELETE FROM line WHERE id = job RETURNING 2 AS state, *
    ), set_aside AS (
        DELETE FROM delayed WHERE id = job RETURNING *
    ), gone AS (
        SELECT state, id, queue_id, attempt, forgiven, keyed, ready_at_us, started_at_us, worker FROM lined_up
        UNION ALL
        SELECT state, id, queue_id, attempt, forgiven, keyed, ready_at_us, started_at_us, worker FROM set_aside
    ), ends AS (
        INSERT INTO ended (id, finished_at_us, queue_id, attempt, forgiven, state, ready_at_us, started_at_us, worker)
        SELECT id, now_us, queue_id, attempt, forgiven, new_state, ready_at_us, started_at_us, worker FROM gone
    ), counted AS (
        INSERT INTO tallies (queue_id, bucket, scheduled, pending, retrying)
        SELECT queue_id, 0, -(state = 1)::int, -(state = 2)::int, -(state = 4)::int FROM gone
    )
    SELECT true, keyed INTO waited, held_key FROM gone;
    IF held_key THEN
        DELETE FROM unique_keys WHERE job_id = job;
    END IF;
    RETURN coalesce(waited, false);
END $$;

CREATE FUNCTION cancel_jobs(now_us bigint, ids uuid[]) RETURNS SETOF change
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    job uuid;
    done boolean;
BEGIN
    PERFORM hold_all(ids);
    FOREACH job IN ARRAY ids LOOP
        done := end_waiting(job, now_us, 8::smallint);
        IF NOT done THEN
            UPDATE running SET cancel_requested = true WHERE id = job AND NOT cancel_requested;
            done := FOUND;
        END IF;
        RETURN NEXT change_of(job, done);
    END LOOP;
END $$;

-- Scheduled and retrying jobs that are due become pending, at the end of the line.
CREATE FUNCTION release_jobs(now_us bigint, ids uuid[]) RETURNS SETOF change
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    job uuid;
    d record;
BEGIN
    PERFORM hold_all(ids);
    FOREACH job IN ARRAY ids LOOP
        DELETE FROM delayed WHERE id = job AND due_at_us <= now_us RETURNING * INTO d;
        IF FOUND THEN
            INSERT INTO line (
                id, place, queue_id, attempt, forgiven, keyed, ready_at_us, expires_at_us, started_at_us, worker
            )
            SELECT d.id, next_place(priority), d.queue_id, d.attempt, d.forgiven, d.keyed, now_us, d.expires_at_us,
                d.started_at_us, d.worker
            FROM specs WHERE id = d.id;
            INSERT INTO tallies (queue_id, bucket, scheduled, pending, retrying)
            VALUES (d.queue_id, 0, -(d.state = 1)::int, 1, -(d.state = 4)::int);
            RETURN NEXT change_of(job, true);
        ELSE
            RETURN NEXT change_of(job, false);
        END IF;
    END LOOP;
    PERFORM fold_tallies(now_us);
END $$;

-- Failed, dead, cancelled and expired jobs become pending, at the end of the line.
CREATE FUNCTION retry_jobs(now_us bigint, ids uuid[]) RETURNS SETOF change
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    job uuid;
    e record;
BEGIN
    PERFORM hold_all(ids);
    FOREACH job IN ARRAY ids LOOP
        SELECT ended.*, specs.priority, specs.unique_key INTO e
        FROM ended JOIN specs USING (id) WHERE id = job AND state > 5;
        IF FOUND THEN
            PERFORM FROM queues WHERE id = e.queue_id FOR KEY SHARE;
        END IF;
        IF FOUND AND e.unique_key IS NOT NULL THEN
            INSERT INTO unique_keys VALUES (e.unique_key, job) ON CONFLICT DO NOTHING;
        END IF;
        IF FOUND THEN
            DELETE FROM ended WHERE id = job;
            INSERT INTO line (id, place, queue_id, attempt, forgiven, keyed, ready_at_us, started_at_us, worker)
            VALUES (
                job, next_place(e.priority), e.queue_id, e.attempt, e.attempt, e.unique_key IS NOT NULL, now_us,
                e.started_at_us, e.worker
            );
            INSERT INTO tallies (queue_id, bucket, pending, dead) VALUES (e.queue_id, 0, 1, -(e.state = 7)::int);
            RETURN NEXT change_of(job, true);
        ELSE
            RETURN NEXT change_of(job, false);
        END IF;
    END LOOP;
    PERFORM fold_tallies(now_us);
END $$;

-- Forgets terminal jobs whose records were deleted by the caller.
CREATE FUNCTION forget(ids uuid[]) RETURNS void LANGUAGE sql AS $$
    DELETE FROM attempts WHERE job_id = ANY(ids);
    DELETE FROM specs WHERE id = ANY(ids);
$$;

CREATE FUNCTION delete_jobs(ids uuid[]) RETURNS SETOF change LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    job uuid;
    answer change;
BEGIN
    PERFORM hold_all(ids);
    FOREACH job IN ARRAY ids LOOP
        answer := change_of(job, true);
        answer.changed := coalesce(answer.state, 0) > 4;
        IF answer.changed THEN
            INSERT INTO tallies (queue_id, bucket, dead) SELECT queue_id, 0, -1 FROM ended WHERE id = job AND state = 7;
            DELETE FROM ended WHERE id = job;
            PERFORM forget(ARRAY[job]);
        END IF;
        RETURN NEXT answer;
    END LOOP;
END $$;

-- Waiting jobs whose time to live is over become expired.
CREATE FUNCTION expire_jobs(now_us bigint, most bigint) RETURNS TABLE (id uuid, queue text)
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    job record;
BEGIN
    FOR job IN
        WITH lined_up AS (
            SELECT l.id, l.expires_at_us, l.queue_id FROM line AS l WHERE l.expires_at_us <= now_us
            ORDER BY l.expires_at_us, l.id LIMIT most FOR UPDATE SKIP LOCKED
        ), set_aside AS (
            SELECT d.id, d.expires_at_us, d.queue_id FROM delayed AS d WHERE d.expires_at_us <= now_us
            ORDER BY d.expires_at_us, d.id LIMIT most FOR UPDATE SKIP LOCKED
        ), over AS (
            SELECT * FROM lined_up UNION ALL SELECT * FROM set_aside
        )
        SELECT o.id, q.name FROM over AS o JOIN queues AS q ON q.id = o.queue_id
        ORDER BY o.expires_at_us, o.id LIMIT most
    LOOP
        PERFORM end_waiting(job.id, now_us, 9::smallint);
        id := job.id;
        queue := job.name;
        RETURN NEXT;
    END LOOP;
    PERFORM raise_gaps();
END $$;

CALL fix_plans();
