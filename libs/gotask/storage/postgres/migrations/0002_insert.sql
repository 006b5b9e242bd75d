-- The place in line of a job that arrives now: 256 priorities of 2^55 arrivals each.
CREATE FUNCTION next_place(priority int) RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT ((127 - priority)::bigint << 55) + nextval('arrivals')
$$;

-- Merges the rows of `tallies` now and then; another call that does so already is left to it.
CREATE FUNCTION fold_tallies(now_us bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF random() < 0.98 OR NOT pg_try_advisory_xact_lock('tallies'::regclass::oid::int, 0) THEN
        RETURN;
    END IF;
    WITH old AS (DELETE FROM tallies RETURNING *)
    INSERT INTO tallies
    SELECT queue_id, CASE WHEN bucket > now_us / 10000000 - 6 THEN bucket ELSE 0 END,
           sum(scheduled), sum(pending), sum(running), sum(retrying), sum(dead), sum(completed), sum(failed)
    FROM old GROUP BY 1, 2;
END $$;

-- Stores one job, whatever keys it has. Status: 0 created, 1 duplicate of `existing`, 2 queue full, 3 queue unknown.
-- The job of a fire is a duplicate of itself unless its fire is open; being stored, or a duplicate of another, closes it.
CREATE FUNCTION insert_job(
    now_us bigint, new specs, full_up boolean, is_fire boolean, OUT status int, OUT existing uuid
)
LANGUAGE plpgsql AS $$
DECLARE
    is_open boolean := true;
BEGIN
    IF is_fire THEN
        PERFORM FROM open_fires WHERE job_id = new.id FOR UPDATE;
        is_open := FOUND;
    END IF;
    -- Again when another call stored the same id or key between the look and the deed.
    LOOP
        SELECT id INTO existing FROM specs WHERE id = new.id;
        IF existing IS NULL AND new.idempotency_key IS NOT NULL THEN
            SELECT id INTO existing FROM specs WHERE idempotency_key = new.idempotency_key;
        END IF;
        IF existing IS NULL AND new.unique_key IS NOT NULL THEN
            SELECT job_id INTO existing FROM unique_keys WHERE key = new.unique_key;
        END IF;
        IF existing IS NOT NULL THEN
            DELETE FROM open_fires WHERE is_fire AND job_id = new.id;
        ELSIF NOT is_open THEN
            existing := new.id;
        END IF;
        status := CASE WHEN existing IS NOT NULL THEN 1 WHEN new.queue_id IS NULL THEN 3 WHEN full_up THEN 2 ELSE 0 END;
        IF status > 0 THEN
            RETURN;
        END IF;
        IF new.unique_key IS NOT NULL THEN
            INSERT INTO unique_keys VALUES (new.unique_key, new.id) ON CONFLICT DO NOTHING;
            CONTINUE WHEN NOT FOUND;
        END IF;
        INSERT INTO specs SELECT new.* ON CONFLICT DO NOTHING;
        EXIT WHEN FOUND;
        DELETE FROM unique_keys WHERE job_id = new.id;
    END LOOP;
    IF is_fire THEN
        DELETE FROM open_fires WHERE job_id = new.id;
    END IF;
    IF new.scheduled_at_us IS NOT NULL AND new.scheduled_at_us > now_us THEN
        INSERT INTO delayed VALUES (
            new.id, new.scheduled_at_us, new.queue_id, 0, 0, 1, new.unique_key IS NOT NULL, 0, new.expires_at_us
        );
    ELSE
        INSERT INTO line VALUES (
            new.id, next_place(new.priority), new.queue_id, 0, 0, new.unique_key IS NOT NULL, now_us, new.expires_at_us
        );
    END IF;
END $$;

-- Stores jobs in the order of the arrays, which have one element per job, or are NULL where no job has the field.
-- `queues` are indexes of `queue_names`; `one_by_one` says that jobs depend on each other
-- or on other tables: they have unique keys, are of fires, or ids or keys repeat.
-- Returns what was not created: position, status, existing job.
CREATE FUNCTION insert_jobs(
    now_us bigint, queue_names text[], one_by_one boolean,
    ids uuid[], queues_of int[], priorities int[], types text[], created_at bigint[], contents bytea[],
    scheduled_at bigint[], expires_at bigint[], idempotency_keys text[], keys text[], tags_of text[],
    fires boolean[]
) RETURNS TABLE ("position" int, status int, existing uuid) LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    queue_ids int[] := array_fill(NULL::int, ARRAY[cardinality(queue_names)]);
    rooms bigint[] := array_fill(NULL::bigint, ARRAY[cardinality(queue_names)]);
    total int := cardinality(ids);
    apart boolean := one_by_one;
    queue record;
    job record;
    outcome record;
    stored uuid[] := '{}';
BEGIN
    FOR queue IN
        SELECT array_position(queue_names, name) AS number, id, max_length
        FROM queues WHERE name = ANY(queue_names) ORDER BY id FOR KEY SHARE
    LOOP
        queue_ids[queue.number] := queue.id;
        IF queue.max_length > 0 THEN
            -- Held to the end, so that no two calls see the same room.
            SELECT max_length INTO queue.max_length FROM queues WHERE id = queue.id FOR NO KEY UPDATE;
            rooms[queue.number] := queue.max_length - (
                SELECT coalesce(sum(scheduled + pending + retrying), 0) FROM tallies WHERE queue_id = queue.id
            );
            apart := apart OR rooms[queue.number] < total;
        END IF;
    END LOOP;

    IF NOT apart AND array_position(queue_ids, NULL) IS NULL THEN
        WITH fresh AS (
            INSERT INTO specs (
                id, created_at_us, queue_id, priority, type, scheduled_at_us, expires_at_us, idempotency_key, tags, spec
            )
            SELECT id, created, queue_ids[q], priority, type, scheduled, expires, idempotency_key, tags::text[], content
            FROM unnest(
                ids, created_at, queues_of, priorities, types, scheduled_at, expires_at, idempotency_keys, tags_of,
                contents
            ) AS given (id, created, q, priority, type, scheduled, expires, idempotency_key, tags, content)
            ON CONFLICT DO NOTHING
            RETURNING id, queue_id, priority, scheduled_at_us, expires_at_us
        ), lined_up AS (
            INSERT INTO line (id, place, queue_id, attempt, forgiven, keyed, ready_at_us, expires_at_us)
            SELECT id, next_place(priority), queue_id, 0, 0, false, now_us, expires_at_us
            FROM fresh WHERE scheduled_at_us IS NULL OR scheduled_at_us <= now_us
        ), set_aside AS (
            INSERT INTO delayed (id, due_at_us, queue_id, attempt, forgiven, state, keyed, ready_at_us, expires_at_us)
            SELECT id, scheduled_at_us, queue_id, 0, 0, 1, false, 0, expires_at_us
            FROM fresh WHERE scheduled_at_us > now_us
        ), counted AS (
            INSERT INTO tallies (queue_id, bucket, scheduled, pending)
            SELECT queue_id, 0, count(*) FILTER (WHERE scheduled_at_us > now_us),
                   count(*) FILTER (WHERE scheduled_at_us > now_us IS NOT TRUE)
            FROM fresh GROUP BY queue_id
        )
        SELECT coalesce(array_agg(id), '{}') INTO stored FROM fresh;
        PERFORM fold_tallies(now_us);
        IF cardinality(stored) = total THEN
            RETURN;
        END IF;
    END IF;

    -- All jobs, or those that met another with their id or key.
    FOR job IN
        SELECT n::int AS n, q, scheduled > now_us IS TRUE AS later, is_fire IS TRUE AS is_fire,
               (id, created, queue_ids[q], priority, type, scheduled, expires, idempotency_key, unique_key,
                tags::text[], content)::specs AS new
        FROM unnest(
            ids, created_at, queues_of, priorities, types, scheduled_at, expires_at, idempotency_keys, keys, tags_of,
            contents, fires
        ) WITH ORDINALITY AS given (
            id, created, q, priority, type, scheduled, expires, idempotency_key, unique_key, tags, content, is_fire, n
        )
        WHERE id <> ALL(stored)
        ORDER BY n
    LOOP
        outcome := insert_job(now_us, job.new, rooms[job.q] <= 0 IS TRUE, job.is_fire);
        IF outcome.status = 0 THEN
            rooms[job.q] := rooms[job.q] - 1;
            INSERT INTO tallies (queue_id, bucket, scheduled, pending)
            VALUES (queue_ids[job.q], 0, job.later::int, 1 - job.later::int);
        ELSE
            "position" := job.n;
            status := outcome.status;
            existing := outcome.existing;
            RETURN NEXT;
        END IF;
    END LOOP;
    PERFORM fold_tallies(now_us);
END $$;

CALL fix_plans();
