-- ARGV: prefix, now, limit. Returns id, queue, attempt, worker, end of lease, ... queue by queue.
local answers = {}
for _, queue in ipairs(redis.call('HKEYS', key('queue'))) do
  local over = redis.call('ZRANGEBYSCORE', key('running:' .. queue), '-inf', ARGV[2], 'WITHSCORES', 'LIMIT', 0, ARGV[3])
  for i = 1, #over, 2 do
    local r = read(redis.call('HGET', key('state'), over[i]))
    local n = #answers
    answers[n + 1], answers[n + 2], answers[n + 3] = over[i], queue, r.attempt
    answers[n + 4], answers[n + 5] = r.worker, over[i + 1]
  end
end
return answers
