-- Forgets a queue in which no job waits or runs: 0 done, 1 unknown, 2 not empty. Its terminal jobs are hidden at once, and
-- forgotten by empty_trash().
CREATE FUNCTION delete_queue(queue text) RETURNS int LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
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

-- Forgets up to `most` jobs of queues that were deleted; how many it forgot.
CREATE FUNCTION empty_trash(most int) RETURNS int LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
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

-- Forgets up to `most` terminal jobs past their queue's retention; how many it forgot.
CREATE FUNCTION prune(now_us bigint, most int) RETURNS int LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
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

CALL fix_plans();
