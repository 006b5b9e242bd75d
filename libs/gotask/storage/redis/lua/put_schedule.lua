-- ARGV: prefix, id, name, expected (the stored bytes that are to be replaced; '' to create), new bytes, next fire (0:
-- none, or paused). Returns 1; 0 when what is stored is not what was expected, or the name is another's.
local id, name = ARGV[2], ARGV[3]
local stored = redis.call('HGET', key('schedule'), id) or ''
local owner = redis.call('HGET', key('schedule_id'), name)
if stored ~= ARGV[4] or (owner and owner ~= id) then return 0 end
local old_name = redis.call('HGET', key('schedule_name'), id)
if old_name and old_name ~= name then redis.call('HDEL', key('schedule_id'), old_name) end
redis.call('HSET', key('schedule'), id, ARGV[5])
redis.call('HSET', key('schedule_id'), name, id)
redis.call('HSET', key('schedule_name'), id, name)
if ARGV[6] == '0' then redis.call('ZREM', key('fires'), id) else redis.call('ZADD', key('fires'), ARGV[6], id) end
return 1
