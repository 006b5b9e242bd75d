-- What every script stands on. ARGV[1] is the prefix of all keys, such as '{gotask}:'.
--
-- spec, state, history, result, progress   hashes: job id -> bytes; state is a record packed by pack() below
-- all            zset of every job id, all scores 0: its order is the order of ids
-- ready:<queue>  zset: pending jobs; the score orders by priority, then arrival
-- running:<queue>            zset: leased jobs by the end of their lease
-- due            zset: scheduled and retrying jobs by due time
-- expiring       zset: jobs with a time to live, by its end
-- finished:<queue>:<state>   zset: terminal jobs by the time they ended
-- queue          hash: name -> serialized Queue;   q:<queue>  hash: its limits, counters, tokens
-- idempotent, unique         hashes: key -> job id;   idempotency_key, unique_key   hashes: job id -> key
local P = ARGV[1]
local SCHEDULED, PENDING, RUNNING, RETRYING = 1, 2, 3, 4
local SUCCESS, FAILED, DEAD, CANCELLED, EXPIRED = 5, 6, 7, 8, 9
local CANCEL_REQUESTED, HAS_EXPIRY, HAS_UNIQUE, HAS_IDEMPOTENT, HAS_PROGRESS, HAS_HISTORY = 1, 2, 4, 8, 16, 32
local PRIORITY_STEP = 35184372088832 -- 2^45: above any count of arrivals; 255 steps stay below 2^53
local FORMAT = '<BBI4I4dddddss'
local CHUNK = 4000 -- below what unpack() takes, and even

local function key(name) return P .. name end
local function number(value) return string.format('%.0f', value) end
local function has(flags, flag) return math.floor(flags / flag) % 2 == 1 end

local function read(packed)
  if not packed then return nil end
  local r = {}
  r.state, r.flags, r.attempt, r.forgiven, r.score, r.ready, r.due, r.started, r.finished, r.queue, r.worker =
    struct.unpack(FORMAT, packed)
  return r
end

local function pack(r)
  return struct.pack(FORMAT, r.state, r.flags, r.attempt, r.forgiven, r.score, r.ready, r.due, r.started, r.finished,
    r.queue, r.worker)
end

-- A command with any number of arguments, in calls that Lua's stack can hold.
local function variadic(command, name, args)
  local n = #args
  if n == 0 then return end
  if n <= CHUNK then
    redis.call(command, name, unpack(args))
    return
  end
  for i = 1, n, CHUNK do
    redis.call(command, name, unpack(args, i, math.min(i + CHUNK - 1, n)))
  end
end

local function many(command, name, args)
  local n = #args
  if n == 0 then return {} end
  if n <= CHUNK then return redis.call(command, name, unpack(args)) end
  local all = {}
  for i = 1, n, CHUNK do
    local part = redis.call(command, name, unpack(args, i, math.min(i + CHUNK - 1, n)))
    for j = 1, #part do all[#all + 1] = part[j] end
  end
  return all
end

-- Lists of arguments by key, to be sent together at the end.
local function gatherer(command)
  local by_key = {}
  return function(name, a, b)
    local args = by_key[name]
    if not args then
      args = {}
      by_key[name] = args
    end
    args[#args + 1] = a
    if b ~= nil then args[#args + 1] = b end
  end, function()
    for name, args in pairs(by_key) do variadic(command, name, args) end
  end
end

-- Sums by key and field, sent together at the end.
local function counter()
  local sums = {}
  return function(queue, field, by)
    local name = key('q:' .. queue)
    local fields = sums[name]
    if not fields then
      fields = {}
      sums[name] = fields
    end
    fields[field] = (fields[field] or 0) + by
  end, function()
    for name, fields in pairs(sums) do
      for field, by in pairs(fields) do
        if by ~= 0 then redis.call('HINCRBY', name, field, by) end
      end
    end
  end
end

-- Jobs that ended, per ten seconds, in a ring of seven.
local function count_finished(queue, now, jobs)
  local epoch = math.floor(now / 10000000)
  local name, field = key('q:' .. queue), 'ended' .. (epoch % 7)
  local stored = redis.call('HGET', name, field)
  local before = 0
  if stored then
    local at, count = string.match(stored, '^(%d+):(%d+)$')
    if tonumber(at) == epoch then before = tonumber(count) end
  end
  redis.call('HSET', name, field, number(epoch) .. ':' .. number(before + jobs))
end

local function release_unique(id)
  local held = redis.call('HGET', key('unique_key'), id)
  if held then
    redis.call('HDEL', key('unique_key'), id)
    if redis.call('HGET', key('unique'), held) == id then redis.call('HDEL', key('unique'), held) end
  end
end

-- Takes a waiting or running job out of the index of its state.
local function leave(id, r)
  if r.state == PENDING then
    redis.call('ZREM', key('ready:' .. r.queue), id)
  elseif r.state == RUNNING then
    redis.call('ZREM', key('running:' .. r.queue), id)
  elseif r.state == SCHEDULED or r.state == RETRYING then
    redis.call('ZREM', key('due'), id)
    redis.call('HINCRBY', key('q:' .. r.queue), r.state == SCHEDULED and 'scheduled' or 'retrying', -1)
  else
    redis.call('ZREM', key('finished:' .. r.queue .. ':' .. r.state), id)
  end
end

-- A waiting job becomes terminal, outside of the fast path.
local function end_waiting(id, r, state, now)
  leave(id, r)
  r.state, r.due, r.finished = state, 0, now
  redis.call('ZADD', key('finished:' .. r.queue .. ':' .. state), number(now), id)
  if has(r.flags, HAS_UNIQUE) then
    release_unique(id)
    r.flags = r.flags - HAS_UNIQUE
  end
  if has(r.flags, HAS_EXPIRY) then redis.call('ZREM', key('expiring'), id) end
  redis.call('HSET', key('state'), id, pack(r))
end

local function is_waiting(state) return state == SCHEDULED or state == PENDING or state == RETRYING end
local function is_terminal(state) return state >= SUCCESS end

-- Forgets terminal jobs; their records are read[i].
local function forget(ids, records)
  if #ids == 0 then return end
  for i = 1, #ids do
    local r = records[i]
    redis.call('ZREM', key('finished:' .. r.queue .. ':' .. r.state), ids[i])
    if has(r.flags, HAS_IDEMPOTENT) then
      local held = redis.call('HGET', key('idempotency_key'), ids[i])
      redis.call('HDEL', key('idempotency_key'), ids[i])
      if held and redis.call('HGET', key('idempotent'), held) == ids[i] then
        redis.call('HDEL', key('idempotent'), held)
      end
    end
  end
  for _, name in ipairs({ 'spec', 'state', 'history', 'result', 'progress', 'unique_key' }) do
    variadic('HDEL', key(name), ids)
  end
  variadic('ZREM', key('all'), ids)
  variadic('ZREM', key('expiring'), ids)
end
