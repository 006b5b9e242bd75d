-- ARGV: now, limit. Ends waiting jobs whose time to live is over; returns id, queue per job.
local now = tonumber(ARGV[1])
local ids = call('ZRANGEBYSCORE', EXPIRING, '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
load(ids)
local answers = {}
for i, id in ipairs(ids) do
  answers[i] = {id, queue_of(records[id])}
  finish_waiting(id, records[id], EXPIRED, now)
end
flush(now)
return answers
