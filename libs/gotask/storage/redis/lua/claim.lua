-- ARGV: prefix, now, end of lease, number of slots, then per slot: worker, capacity, number of shares, then per share:
-- queue, limit.
-- Returns {slots, expired}: per slot a list of {queue, ids, specs, records}; expired: id, queue, id, queue, ...
local now, lease = tonumber(ARGV[2]), ARGV[3]
local queues, expired = {}, {}

local function info(name)
  local q = queues[name]
  if q then return q end
  local s = redis.call('HMGET', key('q:' .. name), 'paused', 'max_workers', 'rate_limit', 'tokens', 'tokens_at')
  q = { name = name, room = math.huge, ready = key('ready:' .. name), running = key('running:' .. name) }
  queues[name] = q
  if s[1] ~= '0' then
    q.room = 0
    return q
  end
  local max = tonumber(s[2] or '0')
  if max > 0 then q.room = max - redis.call('ZCARD', q.running) end
  local rate = tonumber(s[3] or '0')
  if rate > 0 then
    local size = math.max(rate, 1)
    local at = tonumber(s[5] or '0')
    q.tokens = size
    if at > 0 then q.tokens = math.min(size, tonumber(s[4]) + math.max(now - at, 0) * rate / 1000000) end
    q.tokens_at = math.max(now, at)
    q.room = math.min(q.room, math.floor(q.tokens))
  end
  return q
end

local function take(q, limit, worker, share)
  local popped = redis.call('ZPOPMIN', q.ready, limit)
  local ids = {}
  for i = 1, #popped, 2 do ids[#ids + 1] = popped[i] end
  if #ids < limit then q.empty = true end
  if #ids == 0 then return 0 end
  local records = many('HMGET', key('state'), ids)
  local leases, states, taken = {}, {}, {}
  for i = 1, #ids do
    local id, r = ids[i], read(records[i])
    if has(r.flags, HAS_EXPIRY) and tonumber(redis.call('ZSCORE', key('expiring'), id) or math.huge) <= now then
      end_waiting(id, r, EXPIRED, now)
      expired[#expired + 1] = id
      expired[#expired + 1] = q.name
    else
      r.state, r.attempt, r.worker, r.started = RUNNING, r.attempt + 1, worker, now
      local packed = pack(r)
      local n = #leases
      leases[n + 1], leases[n + 2] = lease, id
      states[n + 1], states[n + 2] = id, packed
      taken[#taken + 1] = id
      share[4][#share[4] + 1] = packed
      share[2][#share[2] + 1] = id
    end
  end
  variadic('ZADD', q.running, leases)
  variadic('HSET', key('state'), states)
  local specs = many('HMGET', key('spec'), taken)
  for i = 1, #specs do share[3][#share[3] + 1] = specs[i] end
  return #taken
end

local slots, at = {}, 5
for s = 1, tonumber(ARGV[4]) do
  local worker, capacity, shares = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  at = at + 3
  local slot = {}
  for _ = 1, shares do
    local q, limit = info(ARGV[at]), tonumber(ARGV[at + 1])
    at = at + 2
    local share
    local room = math.min(limit, capacity, q.room)
    while room > 0 and not q.empty do
      share = share or { q.name, {}, {}, {} }
      local got = take(q, room, worker, share)
      room, capacity, q.room = room - got, capacity - got, q.room - got
      if q.tokens then q.tokens = q.tokens - got end
    end
    if share and #share[2] > 0 then slot[#slot + 1] = share end
  end
  slots[s] = slot
end
for name, q in pairs(queues) do
  if q.tokens then
    redis.call('HSET', key('q:' .. name), 'tokens', string.format('%.6f', q.tokens), 'tokens_at', number(q.tokens_at))
  end
end
return { slots, expired }
