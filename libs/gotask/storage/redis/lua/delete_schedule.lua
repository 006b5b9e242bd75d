-- ARGV: prefix, id. Returns 1, or 0 when there is none.
local name = redis.call('HGET', key('schedule_name'), ARGV[2])
if not name then return 0 end
redis.call('HDEL', key('schedule'), ARGV[2])
redis.call('HDEL', key('schedule_id'), name)
redis.call('HDEL', key('schedule_name'), ARGV[2])
redis.call('ZREM', key('fires'), ARGV[2])
return 1
