-- ARGV: prefix, now, then ids. Returns per job: changed, state, queue.
local now, answers = tonumber(ARGV[2]), {}
local seq = redis.call('INCRBY', key('seq'), #ARGV - 2) - (#ARGV - 2)
for i = 3, #ARGV do
  local id = ARGV[i]
  local r = read(redis.call('HGET', key('state'), id))
  local changed = 0
  if r and (r.state == SCHEDULED or r.state == RETRYING) and r.due <= now then
    leave(id, r)
    r.state, r.due, r.ready = PENDING, 0, now
    r.score = math.floor(r.score / PRIORITY_STEP) * PRIORITY_STEP + seq + i - 2
    redis.call('ZADD', key('ready:' .. r.queue), number(r.score), id)
    redis.call('HSET', key('state'), id, pack(r))
    changed = 1
  end
  answers[i - 2] = { changed, r and r.state or 0, r and r.queue or '', '' }
end
return answers
