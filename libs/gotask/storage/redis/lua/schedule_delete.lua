-- ARGV: id. Returns 0 when there is no such schedule.
local name = call('HGET', NAME_OF, ARGV[1])
if not name then return 0 end
call('HDEL', BY_NAME, name)
call('HDEL', NAME_OF, ARGV[1])
call('HDEL', SCHEDULES, ARGV[1])
call('ZREM', FIRES, ARGV[1])
return 1
