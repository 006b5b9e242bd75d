-- ARGV: prefix, now, then per outcome: id, head, history, result
-- head packs state (byte), forgiven (byte), attempt (uint32), due time (double).
-- Returns per outcome: 0 stale; 100 + state: applied; 200 + state: repeated.
local now = tonumber(ARGV[2])
local count = (#ARGV - 2) / 4
local ids, answers, records = {}, {}, {}
for i = 1, count do ids[i] = ARGV[4 * i - 1] end
local stored = many('HMGET', key('state'), ids)
local states, histories, results, unprogressed, unexpiring, due = {}, {}, {}, {}, {}, {}
local zadd, send_zadd = gatherer('ZADD')
local zrem, send_zrem = gatherer('ZREM')
local add, send_counts = counter()
local ended, now_text = {}, number(now)

local function apply(i, id, r, state, forgiven, due_at)
  local history, result = ARGV[4 * i + 1], ARGV[4 * i + 2]
  if has(r.flags, CANCEL_REQUESTED) and (state == PENDING or state == RETRYING) then state = CANCELLED end
  zrem(key('running:' .. r.queue), id)
  if has(r.flags, HAS_HISTORY) then
    history = redis.call('HGET', key('history'), id) .. history
  else
    r.flags = r.flags + HAS_HISTORY
  end
  histories[#histories + 1] = id
  histories[#histories + 1] = history
  if has(r.flags, HAS_PROGRESS) and state < SUCCESS then
    r.flags = r.flags - HAS_PROGRESS
    unprogressed[#unprogressed + 1] = id
  end
  r.state, r.forgiven = state, r.forgiven + forgiven
  if state == PENDING then
    r.ready = now
    zadd(key('ready:' .. r.queue), number(r.score), id)
  elseif state == RETRYING then
    r.due = due_at
    due[#due + 1] = number(due_at)
    due[#due + 1] = id
    add(r.queue, 'retrying', 1)
  else
    r.finished = now
    zadd(key('finished:' .. r.queue .. ':' .. state), now_text, id)
    if result ~= '' then
      results[#results + 1] = id
      results[#results + 1] = result
    end
    if has(r.flags, HAS_UNIQUE) then
      release_unique(id)
      r.flags = r.flags - HAS_UNIQUE
    end
    if has(r.flags, HAS_EXPIRY) then unexpiring[#unexpiring + 1] = id end
    if state <= DEAD then
      add(r.queue, state == SUCCESS and 'completed' or 'failed', 1)
      ended[r.queue] = (ended[r.queue] or 0) + 1
    end
  end
  states[#states + 1] = id
  states[#states + 1] = pack(r)
  return 100 + state
end

for i = 1, count do
  local id = ids[i]
  local state, forgiven, attempt, due_at = struct.unpack('<BBI4d', ARGV[4 * i])
  local r = records[id] or read(stored[i])
  records[id] = r
  if not r or r.attempt ~= attempt then
    answers[i] = 0
  elseif r.state == RUNNING then
    answers[i] = apply(i, id, r, state, forgiven, due_at)
  else
    answers[i] = r.state == state and 200 + state or 0
  end
end
send_zrem()
send_zadd()
variadic('ZADD', key('due'), due)
variadic('HSET', key('state'), states)
variadic('HSET', key('history'), histories)
variadic('HSET', key('result'), results)
variadic('HDEL', key('progress'), unprogressed)
variadic('ZREM', key('expiring'), unexpiring)
send_counts()
for queue, jobs in pairs(ended) do count_finished(queue, now, jobs) end
return answers
