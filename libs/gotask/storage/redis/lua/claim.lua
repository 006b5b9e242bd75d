-- ARGV: now, end of the leases, number of queues, their names;
-- then per slot: its worker (2 bytes length, name), capacity, number of shares, and per share number of queue, limit.
-- Returns ids and queues of jobs found expired, and per slot a list of takings: number of queue, values as inserted,
-- records before the claim (nil for none; no list at all when none of the jobs had one).
local now, lease_until, queues = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local expired = {}
local started_at = micros(now)
local STARTED = char(RUNNING) .. '\0\0\0\1' .. NEVER
local LENGTH = {}
for length = 1, 20 do LENGTH[length] = char(length) end

-- A token bucket that holds one second's worth, at least one; returns the whole tokens in it.
local function refill(line, tokens, tokens_at)
  local size = math.max(line.rate, 1)
  if tokens then
    line.tokens = math.min(size, tonumber(tokens) + math.max(now - tokens_at, 0) * line.rate / 1000000)
  else
    line.tokens = size
  end
  line.tokens_at = math.max(now, tonumber(tokens_at or 0))
  return math.floor(line.tokens)
end

-- What a queue has and may give, looked up once per call.
local lines = {}
local function line_of(number)
  local line = lines[number]
  if line then return line end
  local name = ARGV[3 + number]
  line = {name = name, key = index_of(PENDING, name), waiting = 0, room = 0, taken = 0, length = char(#name) .. name}
  lines[number] = line
  local waiting = call('ZCARD', line.key)
  if waiting == 0 then return line end
  local limits = call('HMGET', QUEUE .. name, 'paused', 'max_workers', 'rate_limit', 'tokens', 'tokens_at')
  if limits[1] ~= '0' then return line end
  line.waiting, line.room = waiting, waiting
  local max_workers = tonumber(limits[2])
  if max_workers > 0 then line.room = math.min(waiting, max_workers - call('ZCARD', index_of(RUNNING, name))) end
  line.rate = tonumber(limits[3])
  if line.rate > 0 then line.room = math.min(line.room, refill(line, limits[4], limits[5])) end
  return line
end

local function is_over(id, record, value)
  local flags = record and byte(record, 14) or byte(value, 2)
  if has(flags, HAS_EXPIRY) == 0 then return false end
  if tonumber(call('ZSCORE', EXPIRING, id)) > now then
    note(removed, EXPIRING, id)
    return false
  end
  return true
end

local function lease(id, record, value, place, line, worker)
  if not record then
    put(id, STARTED .. sub(value, 2, 11) .. NONE .. started_at .. line.length .. worker .. LENGTH[#place] .. place)
  else
    local attempt = unpack_bytes('>I4', record, 2) + 1
    local queue_end, _, rest = offsets(record)
    put(id, char(RUNNING) .. pack('>I4', attempt) .. NEVER .. sub(record, 14, 27) .. started_at
      .. sub(record, 36, queue_end - 1) .. worker .. LENGTH[#place] .. place .. sub(record, rest))
  end
  note_pair(added, index_of(RUNNING, line.name), lease_until, id)
end

-- Takes up to `wanted` jobs from a line; adds what it took to `takings` and returns how many.
local function take(number, line, wanted, worker, takings)
  local taken = 0
  while taken < wanted and line.waiting > 0 do
    local popped = call('ZPOPMIN', line.key, math.min(wanted - taken, CHUNK))
    local ids, n = {}, #popped / 2
    for i = 1, n do ids[i] = popped[2 * i - 1] end
    local found, values = fetch(STATE, ids, n), fetch(SPEC, ids, n)
    local seen = false
    for i = 1, n do
      seen = seen or found[i]
      if is_over(ids[i], found[i], values[i]) then
        expired[#expired + 1] = {ids[i], line.name}
        finish_waiting(ids[i], found[i] or fresh(values[i]), EXPIRED, now)
      else
        lease(ids[i], found[i], values[i], popped[2 * i], line, worker)
        taken = taken + 1
      end
    end
    line.waiting = line.waiting - n
    takings[#takings + 1] = {number, values, seen and found}
  end
  line.room, line.taken = line.room - taken, line.taken + taken
  return taken
end

local slots = {}
local at = 4 + queues
while ARGV[at] do
  local worker, free, shares = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local takings = {}
  for share = at + 3, at + 1 + 2 * shares, 2 do
    if free <= 0 then break end
    local number = tonumber(ARGV[share])
    local line = line_of(number)
    local wanted = math.min(free, line.room, tonumber(ARGV[share + 1]))
    if wanted > 0 then free = free - take(number, line, wanted, worker, takings) end
  end
  slots[#slots + 1] = takings
  at = at + 3 + 2 * shares
end

for _, line in pairs(lines) do
  if line.tokens and line.taken > 0 then
    local left = string.format('%.17g', line.tokens - line.taken)
    call('HSET', QUEUE .. line.name, 'tokens', left, 'tokens_at', decimal(line.tokens_at))
  end
end
flush(now)
return {expired, slots}
