-- Changes schedules that still have the revision that was read. `opened` and `closed` say which schedule each fire is of.
-- Status per schedule: 0 changed, 1 stale, 2 name taken.
CREATE FUNCTION change_schedules(
    offer_at bigint, ids text[], names text[], revisions bigint[], take_at bigint[], contents bytea[],
    opened int[], opened_jobs uuid[], ticks bigint[], fires bytea[], closed int[], closed_jobs uuid[]
) RETURNS int[] LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
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

-- Gives schedules whose time has come, and takes them until `until_us`.
CREATE FUNCTION take_schedules(now_us bigint, until_us bigint, most int)
RETURNS TABLE (data bytea) LANGUAGE sql SET search_path FROM CURRENT AS $$
    WITH due AS (
        SELECT id, take_at_us FROM schedules WHERE take_at_us <= now_us
        ORDER BY take_at_us, id LIMIT most FOR UPDATE SKIP LOCKED
    ), taken AS (
        UPDATE schedules s SET take_at_us = until_us FROM due WHERE s.id = due.id RETURNING s.id, s.data, due.take_at_us
    )
    SELECT data FROM taken ORDER BY take_at_us, id
$$;

-- Gives open fires whose time to be offered has come, and takes each for `wait_us`, or its age.
CREATE FUNCTION take_fires(now_us bigint, wait_us bigint, most int)
RETURNS TABLE (schedule_id text, fire bytea) LANGUAGE sql SET search_path FROM CURRENT AS $$
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

CALL fix_plans();
