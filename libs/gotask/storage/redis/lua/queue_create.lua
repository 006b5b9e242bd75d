-- ARGV: name, then fields and values. Returns 0 when the queue exists.
local key = QUEUE .. ARGV[1]
if call('EXISTS', key) == 1 then return 0 end
call('HSET', key, unpack(ARGV, 2))
call('ZADD', QUEUES, 0, ARGV[1])
return 1
