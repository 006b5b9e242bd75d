-- ARGV: prefix, 'create' or 'update', name, serialized Queue, then fields and values for the scripts.
-- Returns 1, or 0 when the queue exists (create) or does not (update).
local exists = redis.call('HEXISTS', key('queue'), ARGV[3]) == 1
if exists == (ARGV[2] == 'create') then return 0 end
redis.call('HSET', key('queue'), ARGV[3], ARGV[4])
redis.call('HSET', key('q:' .. ARGV[3]), unpack(ARGV, 5))
return 1
