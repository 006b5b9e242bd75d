-- ARGV: now, until, limit. Returns the data of schedules whose fire has come, earliest first; they are taken until then.
local ids = call('ZRANGEBYSCORE', FIRES, '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])
if #ids == 0 then return {} end
for _, id in ipairs(ids) do call('ZADD', FIRES, ARGV[2], id) end
return call('HMGET', SCHEDULES, unpack(ids))
