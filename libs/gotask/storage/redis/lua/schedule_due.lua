-- ARGV: now, limit. Returns the data of schedules whose fire has come, earliest first.
local ids = call('ZRANGEBYSCORE', FIRES, '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
return #ids > 0 and call('HMGET', SCHEDULES, unpack(ids)) or {}
