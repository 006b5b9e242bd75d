CREATE INDEX delayed_queue ON delayed (queue_id);

-- Waiting jobs of a queue become cancelled, at most so many; those in line first. Jobs that are just being claimed or
-- released are passed over.
CREATE FUNCTION cancel_waiting(queue_name text, now_us bigint, most bigint) RETURNS TABLE (id uuid)
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    wanted_queue int := (SELECT q.id FROM queues AS q WHERE q.name = queue_name);
    waiting uuid[];
BEGIN
    waiting := ARRAY(
        SELECT l.id FROM line AS l WHERE l.queue_id = wanted_queue ORDER BY l.place LIMIT most FOR UPDATE SKIP LOCKED
    );
    IF cardinality(waiting) < most THEN
        waiting := waiting || ARRAY(
            SELECT d.id FROM delayed AS d WHERE d.queue_id = wanted_queue
            LIMIT most - cardinality(waiting) FOR UPDATE SKIP LOCKED
        );
    END IF;
    FOREACH id IN ARRAY waiting LOOP
        PERFORM end_waiting(id, now_us, 8::smallint);
        RETURN NEXT;
    END LOOP;
    PERFORM raise_gaps();
END $$;

CALL fix_plans();
