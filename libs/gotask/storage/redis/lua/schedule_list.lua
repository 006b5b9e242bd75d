-- ARGV: name, limit. Returns the data of the schedules whose names come next.
local names = call('ZRANGEBYLEX', NAMES, '(' .. ARGV[1], '+', 'LIMIT', 0, ARGV[2])
if #names == 0 then return {} end
return call('HMGET', SCHEDULES, unpack(call('HMGET', BY_NAME, unpack(names))))
