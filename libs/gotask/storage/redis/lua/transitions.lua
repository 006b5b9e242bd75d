-- What a change of state means for the indexes.

local function release_unique_key(id)
  local key = call('HGET', UNIQUE_OF, id)
  if key and call('HGET', UNIQUE, key) == id then call('HDEL', UNIQUE, key) end
end

local function follow_expiry(id, from, to)
  if WAITING[from] and not WAITING[to] then
    note(removed, EXPIRING, id)
  elseif WAITING[to] and not WAITING[from] then
    note_pair(added, EXPIRING, call('HGET', EXPIRES, id), id)
  end
end

local function count(queue, state)
  local counts = counted[queue]
  if not counts then
    counts = {completed = 0, failed = 0}
    counted[queue] = counts
  end
  if state == SUCCESS then
    counts.completed = counts.completed + 1
  elseif state <= DEAD then
    counts.failed = counts.failed + 1
  end
end

-- Moves a job between indexes; its new record is the caller's to put.
local function move(id, record, queue, from, to, score)
  note(removed, index_of(from, queue), id)
  if to == SUCCESS then
    note(appended, index_of(SUCCESS, queue), id)
  else
    note_pair(added, index_of(to, queue), score, id)
  end
  if DELAYED[from] then note(removed, DUE, id) end
  if DELAYED[to] then note_pair(added, DUE, score, id) end
  local flags = byte(record, 14)
  if flags > 0 then
    if has(flags, HAS_EXPIRY) > 0 then follow_expiry(id, from, to) end
    if to >= SUCCESS and has(flags, HAS_UNIQUE) > 0 then release_unique_key(id) end
  end
  if to >= SUCCESS and to <= DEAD then count(queue, to) end
end

-- Ends a waiting job.
local function finish_waiting(id, record, to, now)
  move(id, record, queue_of(record), byte(record), to, now)
  put(id, char(to) .. sub(record, 2, 5) .. micros(now) .. sub(record, 14))
end

-- The next place in line of a priority.
local function place_after(priority, arrival)
  return (255 - priority) * STRATUM + arrival
end

-- Makes a job pending, at the end of the line. `rest` is its record from byte 24 on.
local function queue_up(id, record, queue, rest, now)
  local place = place_after(byte(record, 15), call('INCR', P .. 'arrivals'))
  move(id, record, queue, byte(record), PENDING, place)
  put(id, char(PENDING) .. sub(record, 2, 5) .. NEVER .. sub(record, 14, 15) .. micros(now) .. rest)
end

-- Forgets a terminal job. A success stays in its index: the index is a list, and prune drops it from there in time.
local function forget(id, record)
  local flags = byte(record, 14)
  note(dropped, SPEC, id)
  note(dropped, STATE, id)
  note(dropped, PROGRESS, id)
  note(removed, ALL, id)
  if byte(record) ~= SUCCESS then note(removed, index_of(byte(record), queue_of(record)), id) end
  if has(flags, LARGE_RESULT) > 0 then note(dropped, RESULT, id) end
  if has(flags, HAS_EXPIRY) > 0 then note(dropped, EXPIRES, id) end
  if has(flags, HAS_UNIQUE) > 0 then note(dropped, UNIQUE_OF, id) end
  if has(flags, HAS_IDEMPOTENCY) > 0 then
    note(dropped, IDEMPOTENT, call('HGET', IDEMPOTENT_OF, id))
    note(dropped, IDEMPOTENT_OF, id)
  end
  records[id] = false
end

-- What a command answers about a job: whether it changed, its state, queue, and the worker that runs it.
local function change(changed, record)
  local state = byte(record)
  return {changed and 1 or 0, state, queue_of(record), state == RUNNING and worker_of(record) or ''}
end

local UNKNOWN = {0, 0, '', ''}
