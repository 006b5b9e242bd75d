-- ARGV: prefix, now, then names. Returns per queue: pending, running, scheduled, retrying, dead, completed, failed,
-- finished in the last minute, when the next in line became pending, paused.
local now, answers = tonumber(ARGV[2]), {}
local epoch = math.floor(now / 10000000)
for i = 3, #ARGV do
  local name = ARGV[i]
  local q = redis.call('HMGET', key('q:' .. name), 'scheduled', 'retrying', 'completed', 'failed', 'paused')
  local recent = 0
  for slot = 0, 6 do
    local stored = redis.call('HGET', key('q:' .. name), 'ended' .. slot)
    if stored then
      local at, count = string.match(stored, '^(%d+):(%d+)$')
      if tonumber(at) > epoch - 6 then recent = recent + tonumber(count) end
    end
  end
  local first = redis.call('ZRANGE', key('ready:' .. name), 0, 0)[1]
  answers[i - 2] = {
    redis.call('ZCARD', key('ready:' .. name)), redis.call('ZCARD', key('running:' .. name)),
    tonumber(q[1] or '0'), tonumber(q[2] or '0'), redis.call('ZCARD', key('finished:' .. name .. ':' .. DEAD)),
    tonumber(q[3] or '0'), tonumber(q[4] or '0'), recent,
    first and number(read(redis.call('HGET', key('state'), first)).ready) or '0', q[5] == '1' and 1 or 0,
  }
end
return answers
