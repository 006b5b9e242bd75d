-- ARGV: prefix, now, then per job: id, spec, queue, priority, extra
-- extra is '' or JSON [scheduled_at, expires_at, unique key, idempotency key].
-- Returns per job: 1 scheduled, 2 pending, the id it duplicates, -1 queue full, -2 queue unknown.
local now = tonumber(ARGV[2])
local count = (#ARGV - 2) / 5
local ids = {}
for i = 1, count do ids[i] = ARGV[5 * i - 2] end
local known = many('HMGET', key('state'), ids)
local seq = redis.call('INCRBY', key('seq'), count) - count
local queues, new, answers = {}, {}, {}
local specs, states, all, due, expiring = {}, {}, {}, {}, {}
local ready, send_ready = gatherer('ZADD')
local add, send_counts = counter()

local function info(name)
  local q = queues[name]
  if q == nil then
    q = false
    if redis.call('HEXISTS', key('queue'), name) == 1 then
      q = { room = math.huge }
      local limits = redis.call('HMGET', key('q:' .. name), 'max_length', 'scheduled', 'retrying')
      local max = tonumber(limits[1] or '0')
      if max > 0 then
        local waiting = redis.call('ZCARD', key('ready:' .. name))
        q.room = max - waiting - tonumber(limits[2] or '0') - tonumber(limits[3] or '0')
      end
    end
    queues[name] = q
  end
  return q
end

local function first_with(extra)
  if extra[4] ~= '' then
    local id = redis.call('HGET', key('idempotent'), extra[4])
    if id then return id end
  end
  if extra[3] ~= '' then
    local id = redis.call('HGET', key('unique'), extra[3])
    if id then return id end
  end
  return nil
end

for i = 1, count do
  local base = 5 * i - 2
  local id, spec, name, priority, extra = ids[i], ARGV[base + 1], ARGV[base + 2], ARGV[base + 3], ARGV[base + 4]
  if extra ~= '' then extra = cjson.decode(extra) end
  local duplicate = (known[i] or new[id]) and id or (extra ~= '' and first_with(extra)) or nil
  local q = not duplicate and info(name)
  if duplicate then
    answers[i] = duplicate
  elseif not q then
    answers[i] = -2
  elseif q.room <= 0 then
    answers[i] = -1
  else
    q.room = q.room - 1
    new[id] = true
    local r = {
      state = PENDING, flags = 0, attempt = 0, forgiven = 0, score = (255 - tonumber(priority)) * PRIORITY_STEP,
      ready = now, due = 0, started = 0, finished = 0, queue = name, worker = '',
    }
    if extra ~= '' then
      if extra[1] > now then
        r.state, r.due, r.ready = SCHEDULED, extra[1], 0
        due[#due + 1] = number(r.due)
        due[#due + 1] = id
        add(name, 'scheduled', 1)
      end
      if extra[2] > 0 then
        r.flags = r.flags + HAS_EXPIRY
        expiring[#expiring + 1] = number(extra[2])
        expiring[#expiring + 1] = id
      end
      if extra[3] ~= '' then
        r.flags = r.flags + HAS_UNIQUE
        redis.call('HSET', key('unique'), extra[3], id)
        redis.call('HSET', key('unique_key'), id, extra[3])
      end
      if extra[4] ~= '' then
        r.flags = r.flags + HAS_IDEMPOTENT
        redis.call('HSET', key('idempotent'), extra[4], id)
        redis.call('HSET', key('idempotency_key'), id, extra[4])
      end
    end
    if r.state == PENDING then
      r.score = r.score + seq + i
      ready(key('ready:' .. name), number(r.score), id)
    end
    local n = #specs
    specs[n + 1], specs[n + 2] = id, spec
    states[n + 1], states[n + 2] = id, pack(r)
    all[n + 1], all[n + 2] = 0, id
    answers[i] = r.state
  end
end
variadic('HSET', key('spec'), specs)
variadic('HSET', key('state'), states)
variadic('ZADD', key('all'), all)
variadic('ZADD', key('due'), due)
variadic('ZADD', key('expiring'), expiring)
send_ready()
send_counts()
return answers
