CREATE SCHEMA stored;

CREATE TYPE stored.change AS (
	changed boolean,
	state smallint,
	queue text,
	worker text
);

CREATE FUNCTION stored.as_jsonb(json_text bytea) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE STRICT
    AS $$
BEGIN
    RETURN convert_from(json_text, 'UTF8')::jsonb;
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
END $$;

CREATE FUNCTION stored.cancel_jobs(now_us bigint, ids uuid[]) RETURNS SETOF stored.change
    LANGUAGE plpgsql
    SET search_path TO 'stored'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
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

CREATE FUNCTION stored.change_of(job uuid, has_changed boolean) RETURNS stored.change
    LANGUAGE sql STABLE
    AS $$
    SELECT (has_changed, r.state, q.name, CASE WHEN r.state = 3 THEN r.worker END)::change
    FROM records AS r JOIN queues AS q ON q.id = r.queue_id WHERE r.id = job
$$;

CREATE FUNCTION stored.change_schedules(offer_at bigint, ids text[], names text[], revisions bigint[], take_at bigint[], contents bytea[], opened integer[], opened_jobs uuid[], ticks bigint[], fires bytea[], closed integer[], closed_jobs uuid[]) RETURNS integer[]
    LANGUAGE plpgsql
    SET search_path TO 'stored'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
DECLARE
    statuses int[] := array_fill(1, ARRAY[cardinality(ids)]);
    done int[];
BEGIN
    PERFORM FROM schedules WHERE id = ANY(ids) ORDER BY id FOR UPDATE;
    -- Those that keep their name, which are nearly all, at once.
    WITH given AS (
        SELECT DISTINCT ON (id) *
        FROM unnest(ids, names, revisions, take_at, contents)
            WITH ORDINALITY AS given (id, name, revision, take_at_us, data, number)
        ORDER BY id, number
    ), changed AS (
        UPDATE schedules s SET revision = given.revision + 1, take_at_us = given.take_at_us, data = given.data
        FROM given WHERE s.id = given.id AND s.revision = given.revision AND s.name = given.name
        RETURNING given.number
    )
    SELECT coalesce(array_agg(number), '{}') INTO done FROM changed;
    FOR i IN 1 .. cardinality(ids) LOOP
        IF i = ANY(done) THEN
            statuses[i] := 0;
            CONTINUE;
        END IF;
        BEGIN
            UPDATE schedules
            SET name = names[i], revision = revisions[i] + 1, take_at_us = take_at[i], data = contents[i]
            WHERE id = ids[i] AND revision = revisions[i];
            statuses[i] := CASE WHEN FOUND THEN 0 ELSE 1 END;
        EXCEPTION WHEN unique_violation THEN
            statuses[i] := 2;
        END;
    END LOOP;
    INSERT INTO open_fires
    SELECT job, ids[number], tick, offer_at, fire
    FROM unnest(opened, opened_jobs, ticks, fires) AS given (number, job, tick, fire) WHERE statuses[number] = 0
    ON CONFLICT (job_id) DO UPDATE
    SET schedule_id = excluded.schedule_id, at_us = excluded.at_us, offer_at_us = excluded.offer_at_us,
        fire = excluded.fire;
    DELETE FROM open_fires WHERE job_id IN (
        SELECT job FROM unnest(closed, closed_jobs) AS given (number, job) WHERE statuses[number] = 0
    );
    RETURN statuses;
END $$;

CREATE FUNCTION stored.claim_jobs(now_us bigint, lease_until bigint, queue_names text[], workers text[], capacities bigint[], shares_of integer[], share_queues integer[], share_limits bigint[]) RETURNS TABLE(slot integer, queue integer, expired uuid, spec bytea, attempt integer, tries integer, ready_at_us bigint)
    LANGUAGE plpgsql
    SET search_path TO 'stored'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
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

CREATE FUNCTION stored.delete_jobs(ids uuid[]) RETURNS SETOF stored.change
    LANGUAGE plpgsql
    SET search_path TO 'stored'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
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

CREATE FUNCTION stored.delete_queue(queue text) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'stored'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
DECLARE
    doomed int;
BEGIN
    SELECT id INTO doomed FROM queues WHERE name = queue FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 1;
    END IF;
    IF (SELECT sum(scheduled + pending + running + retrying) FROM tallies WHERE queue_id = doomed) > 0 THEN
        RETURN 2;
    END IF;
    DELETE FROM queues WHERE id = doomed;
    DELETE FROM tallies WHERE queue_id = doomed;
    DELETE FROM gaps WHERE queue_id = doomed;
    INSERT INTO deleted_queues VALUES (doomed);
    RETURN 0;
END $$;

CREATE FUNCTION stored.empty_trash(most integer) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'stored'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
DECLARE
    doomed int;
    gone uuid[];
BEGIN
    -- What a crash brings back is forgotten again.
    PERFORM set_config('synchronous_commit', 'off', true);
    SELECT id INTO doomed FROM deleted_queues ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    WITH old AS (
        (SELECT ctid AS at FROM ended WHERE queue_id = doomed AND state = 5 LIMIT most)
        UNION ALL
        (SELECT ctid AS at FROM ended WHERE queue_id = doomed AND state > 5 LIMIT most)
    ), removed AS (
        DELETE FROM ended USING old WHERE ended.ctid = old.at RETURNING id
    )
    SELECT array_agg(id) INTO gone FROM removed;
    IF gone IS NULL THEN
        DELETE FROM deleted_queues WHERE id = doomed;
    ELSE
        PERFORM forget(gone);
    END IF;
    RETURN greatest(cardinality(gone), 1);
END $$;

CREATE FUNCTION stored.end_waiting(job uuid, now_us bigint, new_state smallint) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION stored.expire_head(now_us bigint, queue integer, wanted bigint) RETURNS SETOF uuid
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION stored.expire_jobs(now_us bigint, most bigint) RETURNS TABLE(id uuid, queue text)
    LANGUAGE plpgsql
    SET search_path TO 'stored'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
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

CREATE FUNCTION stored.expired_leases(now_us bigint, most bigint) RETURNS TABLE(id uuid, queue text, attempt integer, worker text)
    LANGUAGE sql STABLE
    SET search_path TO 'stored'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
    SELECT r.id, q.name, r.attempt, r.worker
    FROM (SELECT * FROM running WHERE lease_until_us <= now_us ORDER BY lease_until_us, id LIMIT most) AS r
    JOIN queues AS q ON q.id = r.queue_id
    ORDER BY r.lease_until_us, r.id
$$;

CREATE FUNCTION stored.extend_leases(ids uuid[], attempts_of bigint[], until bigint[]) RETURNS integer[]
    LANGUAGE plpgsql
    SET search_path TO 'stored'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
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

CREATE FUNCTION stored.finish_jobs(now_us bigint, one_by_one boolean, ids uuid[], attempts_of bigint[], states smallint[], histories bytea[], results bytea[], due_at bigint[], forgiven_of boolean[], error_types text[], error_messages text[]) RETURNS TABLE("position" integer, status integer, state smallint)
    LANGUAGE plpgsql
    SET search_path TO 'stored'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
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

CREATE FUNCTION stored.first_place(place bigint) RETURNS bigint
    LANGUAGE sql IMMUTABLE
    AS $$
    SELECT place >> 55 << 55
$$;

CREATE PROCEDURE stored.fix_plans()
    LANGUAGE plpgsql
    AS $$
DECLARE
    entry regprocedure;
    setting text;
BEGIN
    FOR entry IN
        SELECT oid FROM pg_proc WHERE pronamespace = quote_ident(current_schema())::regnamespace AND proconfig IS NOT NULL
    LOOP
        FOREACH setting IN ARRAY ARRAY[
            'enable_seqscan = off', 'enable_bitmapscan = off', 'enable_hashjoin = off', 'enable_mergejoin = off',
            'jit = off', 'plan_cache_mode = force_generic_plan'
        ] LOOP
            EXECUTE format('ALTER FUNCTION %s SET %s', entry, setting);
        END LOOP;
    END LOOP;
END $$;

CREATE FUNCTION stored.fold_tallies(now_us bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION stored.forget(ids uuid[]) RETURNS void
    LANGUAGE sql
    AS $$
    DELETE FROM attempts WHERE job_id = ANY(ids);
    DELETE FROM specs WHERE id = ANY(ids);
$$;

CREATE FUNCTION stored.get_jobs(ids uuid[]) RETURNS TABLE(id uuid, spec bytea, state smallint, attempt integer, forgiven integer, ready_at_us bigint, due_at_us bigint, lease_until_us bigint, worker text, started_at_us bigint, finished_at_us bigint, cancel_requested boolean, progress bytea, result bytea, history bytea)
    LANGUAGE sql STABLE
    SET search_path TO 'stored'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
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

CREATE FUNCTION stored.hold(job uuid) RETURNS smallint
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION stored.hold_all(ids uuid[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM hold(id) FROM (SELECT DISTINCT id FROM unnest(ids) AS id ORDER BY id) AS ordered;
END $$;

CREATE FUNCTION stored.hold_room(now_us bigint, queue integer, OUT room bigint, OUT tokens double precision) RETURNS record
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION stored.hold_running(ids uuid[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM FROM (SELECT DISTINCT id FROM unnest(ids) AS id ORDER BY id) AS ordered
    CROSS JOIN LATERAL (SELECT FROM running WHERE running.id = ordered.id FOR UPDATE) AS r;
END $$;

CREATE TABLE stored.specs (
    id uuid NOT NULL,
    created_at_us bigint NOT NULL,
    queue_id integer NOT NULL,
    priority smallint NOT NULL,
    type text NOT NULL,
    scheduled_at_us bigint,
    expires_at_us bigint,
    idempotency_key text,
    unique_key text,
    tags text[],
    spec bytea NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0.05', vacuum_truncate='false');

CREATE FUNCTION stored.insert_job(now_us bigint, new stored.specs, full_up boolean, is_fire boolean, OUT status integer, OUT existing uuid) RETURNS record
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION stored.insert_jobs(now_us bigint, queue_names text[], one_by_one boolean, ids uuid[], queues_of integer[], priorities integer[], types text[], created_at bigint[], contents bytea[], scheduled_at bigint[], expires_at bigint[], idempotency_keys text[], keys text[], tags_of text[], fires boolean[]) RETURNS TABLE("position" integer, status integer, existing uuid)
    LANGUAGE plpgsql
    SET search_path TO 'stored'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
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

CREATE FUNCTION stored.moment(time_us bigint) RETURNS timestamp with time zone
    LANGUAGE sql IMMUTABLE
    AS $$
    SELECT CASE WHEN time_us <> 0 THEN timestamptz 'epoch' + time_us * interval '1 microsecond' END
$$;

CREATE FUNCTION stored.next_place(priority integer) RETURNS bigint
    LANGUAGE sql
    AS $$
    SELECT ((127 - priority)::bigint << 55) + nextval('arrivals')
$$;

CREATE FUNCTION stored.payload_of(spec bytea) RETURNS bytea
    LANGUAGE plpgsql IMMUTABLE STRICT
    AS $$
DECLARE
    head bytea := substring(spec FROM 1 FOR 300);
    next_byte int := 0;
    tag int;
    part int;
    shift int;
    size int;
BEGIN
    WHILE next_byte < length(head) LOOP
        tag := get_byte(head, next_byte);
        EXIT WHEN tag > 34;
        size := 0;
        shift := 0;
        LOOP
            next_byte := next_byte + 1;
            part := get_byte(head, next_byte);
            size := size | ((part & 127) << shift);
            shift := shift + 7;
            EXIT WHEN part < 128;
        END LOOP;
        next_byte := next_byte + 1;
        IF tag = 34 THEN
            RETURN substring(spec FROM next_byte + 1 FOR size);
        END IF;
        next_byte := next_byte + size;
    END LOOP;
    RETURN NULL;
END $$;

CREATE FUNCTION stored.prune(now_us bigint, most integer) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'stored'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
DECLARE
    remaining int := most;
    queue record;
    gone uuid[];
    dead_gone int;
BEGIN
    -- What a crash brings back is pruned again.
    PERFORM set_config('synchronous_commit', 'off', true);
    FOR queue IN SELECT id, retention_success_us, retention_other_us FROM queues ORDER BY id LOOP
        EXIT WHEN remaining = 0;
        WITH successes AS (
            SELECT ctid AS at FROM ended
            WHERE queue_id = queue.id AND state = 5 AND finished_at_us <= now_us - queue.retention_success_us
            ORDER BY finished_at_us LIMIT remaining FOR UPDATE SKIP LOCKED
        ), others AS (
            SELECT ctid AS at FROM ended
            WHERE queue_id = queue.id AND state > 5 AND finished_at_us <= now_us - queue.retention_other_us
            ORDER BY finished_at_us LIMIT remaining FOR UPDATE SKIP LOCKED
        ), old AS (
            SELECT at FROM successes UNION ALL SELECT at FROM others LIMIT remaining
        ), removed AS (
            DELETE FROM ended USING old WHERE ended.ctid = old.at RETURNING id, state
        )
        SELECT array_agg(id), count(*) FILTER (WHERE state = 7) INTO gone, dead_gone FROM removed;
        IF gone IS NOT NULL THEN
            PERFORM forget(gone);
            remaining := remaining - cardinality(gone);
        END IF;
        IF dead_gone > 0 THEN
            INSERT INTO tallies (queue_id, bucket, dead) VALUES (queue.id, 0, -dead_gone);
        END IF;
    END LOOP;
    DELETE FROM workers WHERE expires_at_us <= now_us;
    RETURN most - remaining;
END $$;

CREATE FUNCTION stored.queue_stats(names text[], now_us bigint) RETURNS TABLE(pending bigint, running bigint, scheduled bigint, retrying bigint, dead bigint, completed_total bigint, failed_total bigint, finished_last_minute bigint, oldest_ready_at_us bigint, paused boolean)
    LANGUAGE sql STABLE
    SET search_path TO 'stored'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
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

CREATE FUNCTION stored.raise_gaps() RETURNS void
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION stored.release_jobs(now_us bigint, ids uuid[]) RETURNS SETOF stored.change
    LANGUAGE plpgsql
    SET search_path TO 'stored'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
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

CREATE FUNCTION stored.retry_jobs(now_us bigint, ids uuid[]) RETURNS SETOF stored.change
    LANGUAGE plpgsql
    SET search_path TO 'stored'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
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

CREATE FUNCTION stored.scan_jobs(below uuid, most bigint, states smallint[], queue text, job_type text, tag text, created_from bigint, created_before bigint, OUT matching uuid[], OUT came_to uuid) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'stored'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
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

CREATE FUNCTION stored.set_progress(ids uuid[], attempts_of bigint[], told bytea[]) RETURNS boolean[]
    LANGUAGE plpgsql
    SET search_path TO 'stored'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
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

CREATE FUNCTION stored.stretches(queue integer, OUT since bigint, OUT until bigint) RETURNS SETOF record
    LANGUAGE sql STABLE
    AS $$
    SELECT lag(g.until, 1, -9223372036854775808) OVER (ORDER BY g.since), g.since
    FROM (
        SELECT gaps.since, gaps.until FROM gaps WHERE queue_id = queue AND gaps.until > gaps.since
        UNION ALL
        SELECT 9223372036854775807, 9223372036854775807
    ) AS g
$$;

CREATE FUNCTION stored.take_fires(now_us bigint, wait_us bigint, most integer) RETURNS TABLE(schedule_id text, fire bytea)
    LANGUAGE sql
    SET search_path TO 'stored'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
    WITH due AS (
        SELECT job_id, offer_at_us FROM open_fires WHERE offer_at_us <= now_us
        ORDER BY offer_at_us, job_id LIMIT most FOR UPDATE SKIP LOCKED
    ), taken AS (
        UPDATE open_fires f SET offer_at_us = now_us + greatest(wait_us, now_us - f.at_us)
        FROM due WHERE f.job_id = due.job_id
        RETURNING f.job_id, f.schedule_id, f.fire, due.offer_at_us
    )
    SELECT schedule_id, fire FROM taken ORDER BY offer_at_us, job_id
$$;

CREATE FUNCTION stored.take_schedules(now_us bigint, until_us bigint, most integer) RETURNS TABLE(data bytea)
    LANGUAGE sql
    SET search_path TO 'stored'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
    WITH due AS (
        SELECT id, take_at_us FROM schedules WHERE take_at_us <= now_us
        ORDER BY take_at_us, id LIMIT most FOR UPDATE SKIP LOCKED
    ), taken AS (
        UPDATE schedules s SET take_at_us = until_us FROM due WHERE s.id = due.id RETURNING s.id, s.data, due.take_at_us
    )
    SELECT data FROM taken ORDER BY take_at_us, id
$$;

CREATE SEQUENCE stored.arrivals
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE TABLE stored.attempts (
    job_id uuid NOT NULL,
    attempt integer NOT NULL,
    ended_at_us bigint NOT NULL,
    worker text,
    error_type text,
    error_message text,
    history bytea NOT NULL
);

CREATE TABLE stored.delayed (
    id uuid NOT NULL,
    due_at_us bigint NOT NULL,
    queue_id integer NOT NULL,
    attempt integer NOT NULL,
    forgiven integer NOT NULL,
    state smallint NOT NULL,
    keyed boolean NOT NULL,
    ready_at_us bigint NOT NULL,
    expires_at_us bigint,
    started_at_us bigint,
    worker text
)
WITH (autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='20000', autovacuum_vacuum_cost_delay='0', vacuum_truncate='false');

CREATE TABLE stored.deleted_queues (
    id integer NOT NULL
);

CREATE TABLE stored.ended (
    id uuid NOT NULL,
    finished_at_us bigint NOT NULL,
    queue_id integer NOT NULL,
    attempt integer NOT NULL,
    forgiven integer NOT NULL,
    state smallint NOT NULL,
    cancel_requested boolean DEFAULT false NOT NULL,
    ready_at_us bigint NOT NULL,
    started_at_us bigint,
    worker text,
    progress bytea,
    result bytea,
    history bytea
)
WITH (autovacuum_vacuum_scale_factor='0.05', vacuum_truncate='false');

CREATE TABLE stored.gaps (
    queue_id integer NOT NULL,
    since bigint NOT NULL,
    until bigint NOT NULL,
    candidate bigint,
    candidate_xid bigint
)
WITH (fillfactor='50');

CREATE TABLE stored.line (
    id uuid NOT NULL,
    place bigint NOT NULL,
    queue_id integer NOT NULL,
    attempt integer NOT NULL,
    forgiven integer NOT NULL,
    keyed boolean NOT NULL,
    ready_at_us bigint NOT NULL,
    expires_at_us bigint,
    started_at_us bigint,
    worker text
)
WITH (autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='20000', autovacuum_vacuum_cost_delay='0', autovacuum_analyze_scale_factor='0', autovacuum_analyze_threshold='200000', vacuum_truncate='false');

CREATE TABLE stored.queues (
    id integer NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    paused boolean NOT NULL,
    max_workers bigint NOT NULL,
    max_length bigint NOT NULL,
    rate_limit double precision NOT NULL,
    retention_success_us bigint NOT NULL,
    retention_other_us bigint NOT NULL,
    created_at_us bigint NOT NULL,
    updated_at_us bigint NOT NULL,
    tokens double precision DEFAULT 0 NOT NULL,
    tokens_at_us bigint DEFAULT 0 NOT NULL,
    data bytea NOT NULL
)
WITH (fillfactor='50');

CREATE TABLE stored.running (
    id uuid NOT NULL,
    place bigint NOT NULL,
    queue_id integer NOT NULL,
    attempt integer NOT NULL,
    forgiven integer NOT NULL,
    keyed boolean NOT NULL,
    cancel_requested boolean DEFAULT false NOT NULL,
    ready_at_us bigint NOT NULL,
    started_at_us bigint NOT NULL,
    lease_until_us bigint NOT NULL,
    worker text NOT NULL,
    expires_at_us bigint,
    progress bytea
)
WITH (fillfactor='70', autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='20000', autovacuum_vacuum_cost_delay='0', autovacuum_analyze_scale_factor='0', autovacuum_analyze_threshold='200000', vacuum_truncate='false');

CREATE VIEW stored.records AS
 SELECT line.id,
    line.queue_id,
    (2)::smallint AS state,
    line.attempt,
    line.forgiven,
    line.ready_at_us,
    NULL::bigint AS due_at_us,
    NULL::bigint AS lease_until_us,
    line.worker,
    line.started_at_us,
    NULL::bigint AS finished_at_us,
    false AS cancel_requested,
    line.expires_at_us,
    NULL::bytea AS progress,
    NULL::bytea AS result,
    NULL::bytea AS history
   FROM stored.line
UNION ALL
 SELECT running.id,
    running.queue_id,
    (3)::smallint AS state,
    running.attempt,
    running.forgiven,
    running.ready_at_us,
    NULL::bigint AS due_at_us,
    running.lease_until_us,
    running.worker,
    running.started_at_us,
    NULL::bigint AS finished_at_us,
    running.cancel_requested,
    running.expires_at_us,
    running.progress,
    NULL::bytea AS result,
    NULL::bytea AS history
   FROM stored.running
UNION ALL
 SELECT delayed.id,
    delayed.queue_id,
    delayed.state,
    delayed.attempt,
    delayed.forgiven,
    delayed.ready_at_us,
    delayed.due_at_us,
    NULL::bigint AS lease_until_us,
    delayed.worker,
    delayed.started_at_us,
    NULL::bigint AS finished_at_us,
    false AS cancel_requested,
    delayed.expires_at_us,
    NULL::bytea AS progress,
    NULL::bytea AS result,
    NULL::bytea AS history
   FROM stored.delayed
UNION ALL
 SELECT ended.id,
    ended.queue_id,
    ended.state,
    ended.attempt,
    ended.forgiven,
    ended.ready_at_us,
    NULL::bigint AS due_at_us,
    NULL::bigint AS lease_until_us,
    ended.worker,
    ended.started_at_us,
    ended.finished_at_us,
    ended.cancel_requested,
    NULL::bigint AS expires_at_us,
    ended.progress,
    ended.result,
    ended.history
   FROM stored.ended;

CREATE VIEW stored.jobs AS
 SELECT r.id,
    q.name AS queue,
    s.type,
    r.state_name AS state,
    s.priority,
    stored.as_jsonb(stored.payload_of(s.spec)) AS payload,
    stored.as_jsonb(r.result) AS result,
    e.error_type,
    e.error_message,
    r.attempt,
    r.worker,
    s.tags,
    s.idempotency_key,
    s.unique_key,
    stored.moment(s.created_at_us) AS created_at,
    stored.moment(s.scheduled_at_us) AS scheduled_at,
    stored.moment(s.expires_at_us) AS expires_at,
    stored.moment(r.ready_at_us) AS ready_at,
    stored.moment(r.due_at_us) AS due_at,
    stored.moment(r.started_at_us) AS started_at,
    stored.moment(r.lease_until_us) AS lease_until,
    stored.moment(r.finished_at_us) AS finished_at
   FROM (((( SELECT 'scheduled'::text AS state_name,
            records.id,
            records.queue_id,
            records.state,
            records.attempt,
            records.forgiven,
            records.ready_at_us,
            records.due_at_us,
            records.lease_until_us,
            records.worker,
            records.started_at_us,
            records.finished_at_us,
            records.cancel_requested,
            records.expires_at_us,
            records.progress,
            records.result,
            records.history
           FROM stored.records
          WHERE (records.state = 1)
        UNION ALL
         SELECT 'pending'::text,
            records.id,
            records.queue_id,
            records.state,
            records.attempt,
            records.forgiven,
            records.ready_at_us,
            records.due_at_us,
            records.lease_until_us,
            records.worker,
            records.started_at_us,
            records.finished_at_us,
            records.cancel_requested,
            records.expires_at_us,
            records.progress,
            records.result,
            records.history
           FROM stored.records
          WHERE (records.state = 2)
        UNION ALL
         SELECT 'running'::text,
            records.id,
            records.queue_id,
            records.state,
            records.attempt,
            records.forgiven,
            records.ready_at_us,
            records.due_at_us,
            records.lease_until_us,
            records.worker,
            records.started_at_us,
            records.finished_at_us,
            records.cancel_requested,
            records.expires_at_us,
            records.progress,
            records.result,
            records.history
           FROM stored.records
          WHERE (records.state = 3)
        UNION ALL
         SELECT 'retrying'::text,
            records.id,
            records.queue_id,
            records.state,
            records.attempt,
            records.forgiven,
            records.ready_at_us,
            records.due_at_us,
            records.lease_until_us,
            records.worker,
            records.started_at_us,
            records.finished_at_us,
            records.cancel_requested,
            records.expires_at_us,
            records.progress,
            records.result,
            records.history
           FROM stored.records
          WHERE (records.state = 4)
        UNION ALL
         SELECT 'success'::text,
            records.id,
            records.queue_id,
            records.state,
            records.attempt,
            records.forgiven,
            records.ready_at_us,
            records.due_at_us,
            records.lease_until_us,
            records.worker,
            records.started_at_us,
            records.finished_at_us,
            records.cancel_requested,
            records.expires_at_us,
            records.progress,
            records.result,
            records.history
           FROM stored.records
          WHERE (records.state = 5)
        UNION ALL
         SELECT 'failed'::text,
            records.id,
            records.queue_id,
            records.state,
            records.attempt,
            records.forgiven,
            records.ready_at_us,
            records.due_at_us,
            records.lease_until_us,
            records.worker,
            records.started_at_us,
            records.finished_at_us,
            records.cancel_requested,
            records.expires_at_us,
            records.progress,
            records.result,
            records.history
           FROM stored.records
          WHERE (records.state = 6)
        UNION ALL
         SELECT 'dead'::text,
            records.id,
            records.queue_id,
            records.state,
            records.attempt,
            records.forgiven,
            records.ready_at_us,
            records.due_at_us,
            records.lease_until_us,
            records.worker,
            records.started_at_us,
            records.finished_at_us,
            records.cancel_requested,
            records.expires_at_us,
            records.progress,
            records.result,
            records.history
           FROM stored.records
          WHERE (records.state = 7)
        UNION ALL
         SELECT 'cancelled'::text,
            records.id,
            records.queue_id,
            records.state,
            records.attempt,
            records.forgiven,
            records.ready_at_us,
            records.due_at_us,
            records.lease_until_us,
            records.worker,
            records.started_at_us,
            records.finished_at_us,
            records.cancel_requested,
            records.expires_at_us,
            records.progress,
            records.result,
            records.history
           FROM stored.records
          WHERE (records.state = 8)
        UNION ALL
         SELECT 'expired'::text,
            records.id,
            records.queue_id,
            records.state,
            records.attempt,
            records.forgiven,
            records.ready_at_us,
            records.due_at_us,
            records.lease_until_us,
            records.worker,
            records.started_at_us,
            records.finished_at_us,
            records.cancel_requested,
            records.expires_at_us,
            records.progress,
            records.result,
            records.history
           FROM stored.records
          WHERE (records.state = 9)) r
     JOIN stored.specs s ON ((s.id = r.id)))
     JOIN stored.queues q ON ((q.id = s.queue_id)))
     LEFT JOIN LATERAL ( SELECT a.error_type,
            a.error_message
           FROM stored.attempts a
          WHERE (a.job_id = r.id)
          ORDER BY a.attempt DESC
         LIMIT 1) e ON (true));

COMMENT ON VIEW stored.jobs IS 'Every job as it stands. For reading only: GoTask alone changes jobs.';

COMMENT ON COLUMN stored.jobs.error_type IS 'Of the last attempt that did not succeed.';

CREATE TABLE stored.migrations (
    version integer NOT NULL,
    name text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE stored.open_fires (
    job_id uuid NOT NULL,
    schedule_id text NOT NULL,
    at_us bigint NOT NULL,
    offer_at_us bigint NOT NULL,
    fire bytea NOT NULL
);

ALTER TABLE stored.queues ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME stored.queues_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE stored.schedules (
    id text NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    revision bigint NOT NULL,
    take_at_us bigint,
    data bytea NOT NULL
);

CREATE TABLE stored.tallies (
    queue_id integer NOT NULL,
    bucket bigint NOT NULL,
    scheduled bigint DEFAULT 0 NOT NULL,
    pending bigint DEFAULT 0 NOT NULL,
    running bigint DEFAULT 0 NOT NULL,
    retrying bigint DEFAULT 0 NOT NULL,
    dead bigint DEFAULT 0 NOT NULL,
    completed bigint DEFAULT 0 NOT NULL,
    failed bigint DEFAULT 0 NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='2000', autovacuum_vacuum_cost_delay='0', vacuum_truncate='false');

CREATE TABLE stored.unique_keys (
    key text NOT NULL,
    job_id uuid NOT NULL
);

CREATE TABLE stored.workers (
    id text NOT NULL COLLATE pg_catalog."C",
    expires_at_us bigint NOT NULL,
    data bytea NOT NULL
)
WITH (fillfactor='50');

INSERT INTO stored.attempts VALUES ('019b0000-0000-7000-8000-000000000004', 1, 1800000001000000, 'w', NULL, NULL, '\x0a050801120177');
INSERT INTO stored.attempts VALUES ('019b0000-0000-7000-8000-000000000006', 1, 1800000001000000, 'w', NULL, NULL, '\x0a050801120177');
INSERT INTO stored.attempts VALUES ('019b0000-0000-7000-8000-000000000007', 1, 1800000001000000, 'w', NULL, NULL, '\x0a050801120177');
INSERT INTO stored.attempts VALUES ('019b0000-0000-7000-8000-000000000008', 1, 1800000001000000, 'w', NULL, NULL, '\x0a050801120177');

INSERT INTO stored.delayed VALUES ('019b0000-0000-7000-8000-000000000001', 1800000001000000, 1, 0, 0, 1, true, 0, NULL, NULL, NULL);
INSERT INTO stored.delayed VALUES ('019b0000-0000-7000-8000-000000000004', 1800000001000000, 1, 1, 0, 4, true, 1800000000000000, NULL, 1800000000000000, 'w');

INSERT INTO stored.ended VALUES ('019b0000-0000-7000-8000-000000000006', 1800000001000000, 1, 1, 0, 6, false, 1800000000000000, 1800000000000000, 'w', NULL, NULL, NULL);
INSERT INTO stored.ended VALUES ('019b0000-0000-7000-8000-000000000007', 1800000001000000, 1, 1, 0, 7, false, 1800000000000000, 1800000000000000, 'w', NULL, NULL, NULL);
INSERT INTO stored.ended VALUES ('019b0000-0000-7000-8000-000000000008', 1800000001000000, 1, 1, 0, 8, false, 1800000000000000, 1800000000000000, 'w', NULL, NULL, NULL);
INSERT INTO stored.ended VALUES ('019b0000-0000-7000-8000-000000000009', 1800000000000000, 1, 0, 0, 9, false, 1800000000000000, NULL, NULL, NULL, NULL, NULL);
INSERT INTO stored.ended VALUES ('019b0000-0000-7000-8000-000000000005', 1800000001000000, 1, 1, 0, 5, false, 1800000000000000, 1800000000000000, 'w', NULL, '\x3834', '\x0a050801120177');

INSERT INTO stored.gaps VALUES (1, -4611686018427387904, -4611686018427387904, -4611686018427387897, 744);

INSERT INTO stored.line VALUES ('019b0000-0000-7000-8000-000000000002', 4539628424389459969, 1, 0, 0, true, 1800000000000000, NULL, NULL, NULL);

INSERT INTO stored.migrations VALUES (1, 'tables', '2026-11-25 13:39:04.072918+00');
INSERT INTO stored.migrations VALUES (2, 'insert', '2026-11-25 13:39:04.072918+00');
INSERT INTO stored.migrations VALUES (3, 'claim', '2026-11-25 13:39:04.072918+00');
INSERT INTO stored.migrations VALUES (4, 'finish', '2026-11-25 13:39:04.072918+00');
INSERT INTO stored.migrations VALUES (5, 'reading', '2026-11-25 13:39:04.072918+00');
INSERT INTO stored.migrations VALUES (6, 'commands', '2026-11-25 13:39:04.072918+00');
INSERT INTO stored.migrations VALUES (7, 'queues', '2026-11-25 13:39:04.072918+00');
INSERT INTO stored.migrations VALUES (8, 'schedules', '2026-11-25 13:39:04.072918+00');
INSERT INTO stored.migrations VALUES (9, 'view', '2026-11-25 13:39:04.072918+00');

INSERT INTO stored.open_fires VALUES ('019b0000-0000-7000-8000-000000000101', '019b0000-0000-7000-8000-000000000102', 1800000000000000, 1800000000000000, '\x088080e2c4f2a29903122430313962303030302d303030302d373030302d383030302d3030303030303030303130311801');

INSERT INTO stored.queues OVERRIDING SYSTEM VALUE VALUES (1, 'default', false, 0, 0, 0, 86400000000, 604800000000, 1800000000000000, 1800000000000000, 0, 0, '\x0a0764656661756c74280130013a140803100118808ece1c2080c8ceb40d2d000000004080c6868f014801508087a70e5880c0ddeec1026080c08e87cd11708080e2c4f2a29903788080e2c4f2a29903');
INSERT INTO stored.queues OVERRIDING SYSTEM VALUE VALUES (2, 'limited', true, 3, 0, 2.5, 86400000000, 604800000000, 1800000000000000, 1800000000000000, 0, 0, '\x0a076c696d697465641003210000000000000440280730043a140803100118808ece1c2080c8ceb40d2d000000004080c6868f014801508095f52a5880c0ddeec1026080c08e87cd11708080e2c4f2a29903788080e2c4f2a29903');

INSERT INTO stored.running VALUES ('019b0000-0000-7000-8000-000000000003', -4611686018427387896, 1, 1, 0, true, false, 1800000000000000, 1800000000000000, 1800000030000000, 'w', NULL, '\x0d00004842120468616c66188080e2c4f2a29903');
INSERT INTO stored.running VALUES ('019b0000-0000-7000-8000-000000000100', -4611686018427387895, 1, 1, 0, false, true, 1800000000000000, 1800000000000000, 1800000030000000, 'w', NULL, NULL);

INSERT INTO stored.schedules VALUES ('019b0000-0000-7000-8000-000000000102', 'nightly', 1, 1800000001000000, '\x0a2430313962303030302d303030302d373030302d383030302d30303030303030303031303212076e696768746c791a09302033202a202a202a220d4575726f70652f4265726c696e2a0f12046563686f1a0764656661756c7460c0849fc5f2a29903900101');

INSERT INTO stored.specs VALUES ('019b0000-0000-7000-8000-000000000001', 1800000000000000, 1, 1, 'echo', 1800000001000000, NULL, 'key 1', 'unique 1', '{mail,café}', '\x0a2430313962303030302d303030302d373030302d383030302d30303030303030303030303112046563686f1a0764656661756c74220f7b22746f223a2022636166c3a9227d2801308080e2c4f2a2990338c0849fc5f2a29903520d0805100218c0843d2d0000003f5a056b657920316208756e6971756520316a046d61696c6a05636166c3a9720b0a0674656e616e741201377a3730302d30616637363531393136636434336464383434386562323131633830333139632d623761643662373136393230333333312d3031');
INSERT INTO stored.specs VALUES ('019b0000-0000-7000-8000-000000000002', 1800000000000000, 1, 1, 'echo', NULL, NULL, 'key 2', 'unique 2', '{mail,café}', '\x0a2430313962303030302d303030302d373030302d383030302d30303030303030303030303212046563686f1a0764656661756c74220f7b22746f223a2022636166c3a9227d2801308080e2c4f2a29903520d0805100218c0843d2d0000003f5a056b657920326208756e6971756520326a046d61696c6a05636166c3a9720b0a0674656e616e741201377a3730302d30616637363531393136636434336464383434386562323131633830333139632d623761643662373136393230333333312d3031');
INSERT INTO stored.specs VALUES ('019b0000-0000-7000-8000-000000000004', 1800000000000000, 1, 255, 'echo', NULL, NULL, 'key 4', 'unique 4', '{mail,café}', '\x0a2430313962303030302d303030302d373030302d383030302d30303030303030303030303412046563686f1a0764656661756c74220f7b22746f223a2022636166c3a9227d28ff01308080e2c4f2a29903520d0805100218c0843d2d0000003f5a056b657920346208756e6971756520346a046d61696c6a05636166c3a9720b0a0674656e616e741201377a3730302d30616637363531393136636434336464383434386562323131633830333139632d623761643662373136393230333333312d3031');
INSERT INTO stored.specs VALUES ('019b0000-0000-7000-8000-000000000006', 1800000000000000, 1, 255, 'echo', NULL, NULL, 'key 6', 'unique 6', '{mail,café}', '\x0a2430313962303030302d303030302d373030302d383030302d30303030303030303030303612046563686f1a0764656661756c74220f7b22746f223a2022636166c3a9227d28ff01308080e2c4f2a29903520d0805100218c0843d2d0000003f5a056b657920366208756e6971756520366a046d61696c6a05636166c3a9720b0a0674656e616e741201377a3730302d30616637363531393136636434336464383434386562323131633830333139632d623761643662373136393230333333312d3031');
INSERT INTO stored.specs VALUES ('019b0000-0000-7000-8000-000000000007', 1800000000000000, 1, 255, 'echo', NULL, NULL, 'key 7', 'unique 7', '{mail,café}', '\x0a2430313962303030302d303030302d373030302d383030302d30303030303030303030303712046563686f1a0764656661756c74220f7b22746f223a2022636166c3a9227d28ff01308080e2c4f2a29903520d0805100218c0843d2d0000003f5a056b657920376208756e6971756520376a046d61696c6a05636166c3a9720b0a0674656e616e741201377a3730302d30616637363531393136636434336464383434386562323131633830333139632d623761643662373136393230333333312d3031');
INSERT INTO stored.specs VALUES ('019b0000-0000-7000-8000-000000000008', 1800000000000000, 1, 255, 'echo', NULL, NULL, 'key 8', 'unique 8', '{mail,café}', '\x0a2430313962303030302d303030302d373030302d383030302d30303030303030303030303812046563686f1a0764656661756c74220f7b22746f223a2022636166c3a9227d28ff01308080e2c4f2a29903520d0805100218c0843d2d0000003f5a056b657920386208756e6971756520386a046d61696c6a05636166c3a9720b0a0674656e616e741201377a3730302d30616637363531393136636434336464383434386562323131633830333139632d623761643662373136393230333333312d3031');
INSERT INTO stored.specs VALUES ('019b0000-0000-7000-8000-000000000009', 1800000000000000, 1, 1, 'echo', NULL, 1800000000000000, 'key 9', 'unique 9', '{mail,café}', '\x0a2430313962303030302d303030302d373030302d383030302d30303030303030303030303912046563686f1a0764656661756c74220f7b22746f223a2022636166c3a9227d2801308080e2c4f2a29903408080e2c4f2a29903520d0805100218c0843d2d0000003f5a056b657920396208756e6971756520396a046d61696c6a05636166c3a9720b0a0674656e616e741201377a3730302d30616637363531393136636434336464383434386562323131633830333139632d623761643662373136393230333333312d3031');
INSERT INTO stored.specs VALUES ('019b0000-0000-7000-8000-000000000005', 1800000000000000, 1, 255, 'echo', NULL, NULL, 'key 5', 'unique 5', '{mail,café}', '\x0a2430313962303030302d303030302d373030302d383030302d30303030303030303030303512046563686f1a0764656661756c74220f7b22746f223a2022636166c3a9227d28ff01308080e2c4f2a29903520d0805100218c0843d2d0000003f5a056b657920356208756e6971756520356a046d61696c6a05636166c3a9720b0a0674656e616e741201377a3730302d30616637363531393136636434336464383434386562323131633830333139632d623761643662373136393230333333312d3031');
INSERT INTO stored.specs VALUES ('019b0000-0000-7000-8000-000000000003', 1800000000000000, 1, 255, 'echo', NULL, NULL, 'key 3', 'unique 3', '{mail,café}', '\x0a2430313962303030302d303030302d373030302d383030302d30303030303030303030303312046563686f1a0764656661756c74220f7b22746f223a2022636166c3a9227d28ff01308080e2c4f2a29903520d0805100218c0843d2d0000003f5a056b657920336208756e6971756520336a046d61696c6a05636166c3a9720b0a0674656e616e741201377a3730302d30616637363531393136636434336464383434386562323131633830333139632d623761643662373136393230333333312d3031');
INSERT INTO stored.specs VALUES ('019b0000-0000-7000-8000-000000000100', 1800000000000000, 1, 255, 'echo', NULL, NULL, NULL, NULL, NULL, '\x0a2430313962303030302d303030302d373030302d383030302d30303030303030303031303012046563686f1a0764656661756c7428ff01308080e2c4f2a29903');

INSERT INTO stored.tallies VALUES (1, 0, 1, 1, 4, 0, 0, 0, 0);
INSERT INTO stored.tallies VALUES (1, 180000000, 0, 0, -4, 1, 1, 0, 2);
INSERT INTO stored.tallies VALUES (1, 0, 0, 1, 0, 0, 0, 0, 0);
INSERT INTO stored.tallies VALUES (1, 0, 0, -1, 0, 0, 0, 0, 0);
INSERT INTO stored.tallies VALUES (1, 0, 0, 1, 0, 0, 0, 0, 0);
INSERT INTO stored.tallies VALUES (1, 0, 0, -1, 1, 0, 0, 0, 0);
INSERT INTO stored.tallies VALUES (1, 180000000, 0, 0, -1, 0, 0, 1, 0);
INSERT INTO stored.tallies VALUES (1, 0, 0, 1, 0, 0, 0, 0, 0);
INSERT INTO stored.tallies VALUES (1, 0, 0, -1, 1, 0, 0, 0, 0);
INSERT INTO stored.tallies VALUES (1, 0, 0, 1, 0, 0, 0, 0, 0);
INSERT INTO stored.tallies VALUES (1, 0, 0, -1, 1, 0, 0, 0, 0);

INSERT INTO stored.unique_keys VALUES ('unique 1', '019b0000-0000-7000-8000-000000000001');
INSERT INTO stored.unique_keys VALUES ('unique 2', '019b0000-0000-7000-8000-000000000002');
INSERT INTO stored.unique_keys VALUES ('unique 4', '019b0000-0000-7000-8000-000000000004');
INSERT INTO stored.unique_keys VALUES ('unique 3', '019b0000-0000-7000-8000-000000000003');

SELECT pg_catalog.setval('stored.arrivals', 9, true);

SELECT pg_catalog.setval('stored.queues_id_seq', 2, true);

ALTER TABLE ONLY stored.attempts
    ADD CONSTRAINT attempts_pkey PRIMARY KEY (job_id, attempt);

ALTER TABLE ONLY stored.deleted_queues
    ADD CONSTRAINT deleted_queues_pkey PRIMARY KEY (id);

ALTER TABLE ONLY stored.gaps
    ADD CONSTRAINT gaps_pkey PRIMARY KEY (queue_id, since);

ALTER TABLE ONLY stored.migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (version);

ALTER TABLE ONLY stored.open_fires
    ADD CONSTRAINT open_fires_pkey PRIMARY KEY (job_id);

ALTER TABLE ONLY stored.queues
    ADD CONSTRAINT queues_name_key UNIQUE (name);

ALTER TABLE ONLY stored.queues
    ADD CONSTRAINT queues_pkey PRIMARY KEY (id);

ALTER TABLE ONLY stored.schedules
    ADD CONSTRAINT schedules_name_key UNIQUE (name);

ALTER TABLE ONLY stored.schedules
    ADD CONSTRAINT schedules_pkey PRIMARY KEY (id);

ALTER TABLE ONLY stored.specs
    ADD CONSTRAINT specs_pkey PRIMARY KEY (id);

ALTER TABLE ONLY stored.unique_keys
    ADD CONSTRAINT unique_keys_job_id_key UNIQUE (job_id);

ALTER TABLE ONLY stored.unique_keys
    ADD CONSTRAINT unique_keys_pkey PRIMARY KEY (key);

ALTER TABLE ONLY stored.workers
    ADD CONSTRAINT workers_pkey PRIMARY KEY (id);

CREATE INDEX delayed_due ON stored.delayed USING btree (due_at_us, id);

CREATE INDEX delayed_expiring ON stored.delayed USING btree (expires_at_us, id) WHERE (expires_at_us IS NOT NULL);

CREATE UNIQUE INDEX delayed_id ON stored.delayed USING btree (id);

CREATE UNIQUE INDEX ended_id ON stored.ended USING btree (id);

CREATE INDEX ended_retention ON stored.ended USING btree (queue_id, finished_at_us) WHERE (state = 5);

CREATE INDEX ended_retention_other ON stored.ended USING btree (queue_id, finished_at_us) WHERE (state > 5);

CREATE INDEX ended_state ON stored.ended USING btree (state, id) WHERE (state > 5);

CREATE INDEX line_expiring ON stored.line USING btree (expires_at_us, id) WHERE (expires_at_us IS NOT NULL);

CREATE UNIQUE INDEX line_id ON stored.line USING btree (id);

CREATE UNIQUE INDEX line_order ON stored.line USING btree (queue_id, place);

CREATE INDEX open_fires_offer ON stored.open_fires USING btree (offer_at_us, job_id);

CREATE UNIQUE INDEX running_id ON stored.running USING btree (id);

CREATE INDEX schedules_take ON stored.schedules USING btree (take_at_us, id) WHERE (take_at_us IS NOT NULL);

CREATE UNIQUE INDEX specs_idempotency_key ON stored.specs USING btree (idempotency_key) WHERE (idempotency_key IS NOT NULL);

