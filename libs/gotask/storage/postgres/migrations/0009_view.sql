-- What people read: the view `jobs`. Nothing here is used by GoTask itself.

-- The payload in a serialized v1.JobSpec, as it was submitted; NULL when it has none. Its first fields are id, type, queue
-- and payload (tags 10, 18, 26, 34), each a length and so many bytes.
CREATE FUNCTION payload_of(spec bytea) RETURNS bytea LANGUAGE plpgsql IMMUTABLE STRICT AS $$
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

-- JSON as PostgreSQL can query it; NULL for what it cannot hold (the character NUL, numbers beyond its range).
CREATE FUNCTION as_jsonb(json_text bytea) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE STRICT AS $$
BEGIN
    RETURN convert_from(json_text, 'UTF8')::jsonb;
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
END $$;

CREATE FUNCTION moment(time_us bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN time_us <> 0 THEN timestamptz 'epoch' + time_us * interval '1 microsecond' END
$$;

-- A branch per state, so that a question about one state looks at nothing else.
CREATE VIEW jobs AS
SELECT
    r.id, q.name AS queue, s.type, r.state_name AS state, s.priority, as_jsonb(payload_of(s.spec)) AS payload,
    as_jsonb(r.result) AS result, e.error_type, e.error_message, r.attempt, r.worker, s.tags, s.idempotency_key,
    s.unique_key, moment(s.created_at_us) AS created_at, moment(s.scheduled_at_us) AS scheduled_at,
    moment(s.expires_at_us) AS expires_at, moment(r.ready_at_us) AS ready_at, moment(r.due_at_us) AS due_at,
    moment(r.started_at_us) AS started_at, moment(r.lease_until_us) AS lease_until,
    moment(r.finished_at_us) AS finished_at
FROM (
    SELECT 'scheduled'::text AS state_name, records.* FROM records WHERE state = 1
    UNION ALL SELECT 'pending', records.* FROM records WHERE state = 2
    UNION ALL SELECT 'running', records.* FROM records WHERE state = 3
    UNION ALL SELECT 'retrying', records.* FROM records WHERE state = 4
    UNION ALL SELECT 'success', records.* FROM records WHERE state = 5
    UNION ALL SELECT 'failed', records.* FROM records WHERE state = 6
    UNION ALL SELECT 'dead', records.* FROM records WHERE state = 7
    UNION ALL SELECT 'cancelled', records.* FROM records WHERE state = 8
    UNION ALL SELECT 'expired', records.* FROM records WHERE state = 9
) AS r
JOIN specs AS s ON s.id = r.id
JOIN queues AS q ON q.id = s.queue_id
LEFT JOIN LATERAL (
    SELECT a.error_type, a.error_message FROM attempts AS a WHERE a.job_id = r.id ORDER BY a.attempt DESC LIMIT 1
) AS e ON true;

COMMENT ON VIEW jobs IS 'Every job as it stands. For reading only: GoTask alone changes jobs.';
COMMENT ON COLUMN jobs.error_type IS 'Of the last attempt that did not succeed.';
