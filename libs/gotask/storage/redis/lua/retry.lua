-- ARGV: prefix, now, then ids. Returns per job: changed, state, queue.
local now, answers = tonumber(ARGV[2]), {}
local seq = redis.call('INCRBY', key('seq'), #ARGV - 2) - (#ARGV - 2)
for i = 3, #ARGV do
  local id = ARGV[i]
  local r = read(redis.call('HGET', key('state'), id))
  local changed = 0
  if r and is_terminal(r.state) and r.state ~= SUCCESS then
    leave(id, r)
    if has(r.flags, CANCEL_REQUESTED) then r.flags = r.flags - CANCEL_REQUESTED end
    if has(r.flags, HAS_EXPIRY) then r.flags = r.flags - HAS_EXPIRY end
    r.state, r.forgiven, r.ready, r.finished = PENDING, r.attempt, now, 0
    r.score = math.floor(r.score / PRIORITY_STEP) * PRIORITY_STEP + seq + i - 2
    redis.call('ZADD', key('ready:' .. r.queue), number(r.score), id)
    redis.call('HSET', key('state'), id, pack(r))
    changed = 1
  end
  answers[i - 2] = { changed, r and r.state or 0, r and r.queue or '', '' }
end
return answers
