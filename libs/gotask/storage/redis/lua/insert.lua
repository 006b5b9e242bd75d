-- ARGV: now, number of jobs, number of groups; per group its queue, and its jobs as one string: per job 4 bytes length of
-- the value, 1 byte length of the id, id, value. Then, job by job, what its flags call for: scheduled at, expires at,
-- unique key, idempotency key.
-- Returns what was not created: index, status, existing id. A job whose fire is not open is a duplicate of itself.
local DUPLICATE, QUEUE_FULL, QUEUE_UNKNOWN = 1, 2, 3
local total, groups = tonumber(ARGV[2]), tonumber(ARGV[3])
local extra = 4 + 2 * groups
local jobs = {n = 0} -- id, value, id, value, ...
local refused = {}

local function read_jobs(text)
  local n, at, size = jobs.n, 1, #text
  while at < size do
    local a, b, c, d, id_length = byte(text, at, at + 4)
    local value_at = at + 5 + id_length
    local next_at = value_at + ((a * 256 + b) * 256 + c) * 256 + d
    jobs[n + 1], jobs[n + 2] = sub(text, at + 5, value_at - 1), sub(text, value_at, next_at - 1)
    n, at = n + 2, next_at
  end
  jobs.n = n
  return n
end

-- Enters all ids into the order of listings. When some were there before, says which; else nil.
local function enter_ids()
  local entries = {n = jobs.n}
  for i = 1, jobs.n, 2 do
    entries[i], entries[i + 1] = '0', jobs[i]
  end
  local new = 0
  for first = 1, jobs.n, CHUNK do
    new = new + call('ZADD', ALL, 'NX', unpack(entries, first, math.min(first + CHUNK - 1, jobs.n)))
  end
  if new == total then return nil end
  local known = {}
  for i = 1, jobs.n, 2 do
    known[jobs[i]] = call('HEXISTS', SPEC, jobs[i]) == 1
  end
  return known
end

local lines = {}
local function line_of(queue)
  if lines[queue] then return lines[queue] end
  local max_length = tonumber(call('HGET', QUEUE .. queue, 'max_length') or -1)
  local line = {exists = max_length >= 0, room = math.huge, queue = queue}
  if max_length > 0 then
    line.room = max_length - call('ZCARD', index_of(PENDING, queue)) - call('ZCARD', index_of(SCHEDULED, queue))
      - call('ZCARD', index_of(RETRYING, queue))
  end
  lines[queue] = line
  return line
end

local function extra_if(flags, flag)
  if has(flags, flag) == 0 then return false end
  extra = extra + 1
  return ARGV[extra - 1]
end

local function extras_of(flags)
  return {
    scheduled_at = extra_if(flags, INSERTED_LATER),
    expires_at = extra_if(flags, HAS_EXPIRY),
    unique_key = extra_if(flags, HAS_UNIQUE),
    idempotency_key = extra_if(flags, HAS_IDEMPOTENCY),
  }
end

local function holder_of_keys(extras)
  return extras.idempotency_key and call('HGET', IDEMPOTENT, extras.idempotency_key)
    or extras.unique_key and call('HGET', UNIQUE, extras.unique_key)
end

local function keep_extras(id, extras)
  if extras.expires_at then
    note_pair(added, EXPIRING, extras.expires_at, id)
    call('HSET', EXPIRES, id, extras.expires_at)
  end
  if extras.unique_key then
    call('HSET', UNIQUE, extras.unique_key, id)
    call('HSET', UNIQUE_OF, id, extras.unique_key)
  end
  if extras.idempotency_key then
    call('HSET', IDEMPOTENT, extras.idempotency_key, id)
    call('HSET', IDEMPOTENT_OF, id, extras.idempotency_key)
  end
end

local function schedule(id, value, queue, scheduled_at)
  note_pair(added, index_of(SCHEDULED, queue), scheduled_at, id)
  note_pair(added, DUE, scheduled_at, id)
  put(id, char(SCHEDULED) .. NONE .. micros(tonumber(scheduled_at)) .. sub(fresh(value), 14))
end

local ends = {}
for group = 1, groups do ends[group] = read_jobs(ARGV[3 + 2 * group]) end
local known = enter_ids()
local arrival = call('INCRBY', P .. 'arrivals', total) - total
local values = {n = 0}

-- The job that this one is a duplicate of.
local function existing_of(id, flags, extras)
  local existing = known and known[id] and id or extras and holder_of_keys(extras)
  if has(flags, IS_FIRE) > 0 then
    if existing then close_fire(id) end
    return existing or not open_fire(id) and id
  end
  return existing
end

local function store(id, value, priority, line, pending, extras)
  if known then known[id] = true end
  line.room = line.room - 1
  local n = values.n + 2
  values[n - 1], values[n], values.n = id, value, n
  if extras and extras.scheduled_at then
    schedule(id, value, line.queue, extras.scheduled_at)
  else
    arrival, n = arrival + 1, pending.n + 2
    pending[n - 1], pending[n], pending.n = place_after(priority, arrival), id, n
  end
  if extras then keep_extras(id, extras) end
end

for group = 1, groups do
  local line = line_of(ARGV[2 + 2 * group])
  local pending = list_in(added, index_of(PENDING, line.queue))
  for i = (ends[group - 1] or 0) + 1, ends[group], 2 do
    local id, value = jobs[i], jobs[i + 1]
    local flags, priority = byte(value, 2, 3)
    local extras = flags > 0 and extras_of(flags)
    local existing = existing_of(id, flags, extras)
    if existing then
      refused[#refused + 1] = {(i - 1) / 2, DUPLICATE, existing, id}
    elseif not line.exists then
      refused[#refused + 1] = {(i - 1) / 2, QUEUE_UNKNOWN, '', id}
    elseif line.room <= 0 then
      refused[#refused + 1] = {(i - 1) / 2, QUEUE_FULL, '', id}
    else
      if has(flags, IS_FIRE) > 0 then close_fire(id) end
      store(id, value, priority, line, pending, extras)
    end
  end
end

for _, refusal in ipairs(refused) do
  if not (known and known[refusal[4]]) then note(removed, ALL, refusal[4]) end
end
variadic('HSET', SPEC, values)
flush()
return refused
