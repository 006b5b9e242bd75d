-- ARGV: now, number of jobs, number of queues; per queue its name, number of jobs, and id, value per job;
-- then, job by job, what its flags call for: scheduled at, expires at, unique key, idempotency key.
-- Returns what was not created, as index, status, existing id.
local DUPLICATE, QUEUE_FULL, QUEUE_UNKNOWN = 1, 2, 3
local total, groups = tonumber(ARGV[2]), tonumber(ARGV[3])
local refused = {}

-- Enters all ids into the order of listings. When some were there before, says which; else nil.
local function enter_ids()
  local entries, at = {n = 0}, 4
  for _ = 1, groups do
    local last = at + 1 + 2 * tonumber(ARGV[at + 1])
    local n = entries.n
    for i = at + 2, last, 2 do
      entries[n + 1], entries[n + 2] = 0, ARGV[i]
      n = n + 2
    end
    entries.n, at = n, last + 1
  end
  local new = 0
  for first = 1, entries.n, CHUNK do
    new = new + call('ZADD', ALL, 'NX', unpack(entries, first, math.min(first + CHUNK - 1, entries.n)))
  end
  if new == total then return nil, at end
  local known = {}
  for i = 2, entries.n, 2 do
    known[entries[i]] = call('HEXISTS', SPEC, entries[i]) == 1
  end
  return known, at
end

local lines = {}
local function line_of(queue)
  if lines[queue] then return lines[queue] end
  local max_length = tonumber(call('HGET', QUEUE .. queue, 'max_length') or -1)
  local line = {exists = max_length >= 0, room = math.huge}
  if max_length > 0 then
    line.room = max_length - call('ZCARD', index_of(PENDING, queue)) - call('ZCARD', index_of(SCHEDULED, queue))
      - call('ZCARD', index_of(RETRYING, queue))
  end
  lines[queue] = line
  return line
end

local known, extra = enter_ids()
local function extra_if(flags, flag)
  if has(flags, flag) == 0 then return false end
  extra = extra + 1
  return ARGV[extra - 1]
end

local function keep_extras(id, expires_at, unique_key, idempotency_key)
  if expires_at then
    note_pair(added, EXPIRING, expires_at, id)
    call('HSET', EXPIRES, id, expires_at)
  end
  if unique_key then
    call('HSET', UNIQUE, unique_key, id)
    call('HSET', UNIQUE_OF, id, unique_key)
  end
  if idempotency_key then
    call('HSET', IDEMPOTENT, idempotency_key, id)
    call('HSET', IDEMPOTENT_OF, id, idempotency_key)
  end
end

local arrival = call('INCRBY', P .. 'arrivals', total) - total
local values = {n = 0}

local function store(id, value, queue, priority, scheduled_at)
  local n = values.n + 2
  values[n - 1], values[n], values.n = id, value, n
  if scheduled_at then
    note_pair(added, index_of(SCHEDULED, queue), scheduled_at, id)
    note_pair(added, DUE, scheduled_at, id)
    put(id, char(SCHEDULED) .. NONE .. micros(tonumber(scheduled_at)) .. sub(fresh(value), 14))
  else
    arrival = arrival + 1
    note_pair(added, index_of(PENDING, queue), place_after(priority, arrival), id)
  end
end

local index, at = 0, 4
for _ = 1, groups do
  local queue, last = ARGV[at], at + 1 + 2 * tonumber(ARGV[at + 1])
  local line = line_of(queue)
  for i = at + 2, last, 2 do
    local id, value = ARGV[i], ARGV[i + 1]
    local flags, priority = byte(value, 2, 3)
    local existing = known and known[id] and id
    local scheduled_at, expires_at, unique_key, idempotency_key
    if flags > 0 then
      scheduled_at, expires_at = extra_if(flags, INSERTED_LATER), extra_if(flags, HAS_EXPIRY)
      unique_key, idempotency_key = extra_if(flags, HAS_UNIQUE), extra_if(flags, HAS_IDEMPOTENCY)
      existing = existing or idempotency_key and call('HGET', IDEMPOTENT, idempotency_key)
        or unique_key and call('HGET', UNIQUE, unique_key)
    end
    if existing then
      refused[#refused + 1] = {index, DUPLICATE, existing, id}
    elseif not line.exists then
      refused[#refused + 1] = {index, QUEUE_UNKNOWN, '', id}
    elseif line.room <= 0 then
      refused[#refused + 1] = {index, QUEUE_FULL, '', id}
    else
      line.room = line.room - 1
      if known then known[id] = true end
      store(id, value, queue, priority, scheduled_at)
      if flags > 0 then keep_extras(id, expires_at, unique_key, idempotency_key) end
    end
    index = index + 1
  end
  at = last + 1
end

for _, refusal in ipairs(refused) do
  if not (known and known[refusal[4]]) then note(removed, ALL, refusal[4]) end
end
variadic('HSET', SPEC, values)
flush()
return refused
