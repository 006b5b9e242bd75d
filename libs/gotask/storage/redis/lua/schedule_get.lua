-- ARGV: ids, or nothing for all. Returns the data of those that exist.
if #ARGV == 0 then return call('HVALS', SCHEDULES) end
return call('HMGET', SCHEDULES, unpack(ARGV))
