-- ARGV: name, then fields and values. Returns 0 when the queue does not exist.
local key = QUEUE .. ARGV[1]
if call('EXISTS', key) == 0 then return 0 end
call('HSET', key, unpack(ARGV, 2))
return 1
