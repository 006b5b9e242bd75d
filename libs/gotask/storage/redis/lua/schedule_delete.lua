-- ARGV: id. Returns 0 when there is no such schedule.
local id = ARGV[1]
if call('HEXISTS', SCHEDULES, id) == 0 then return 0 end
free_name(id)
call('HDEL', SCHEDULES, id)
call('HDEL', REVISION, id)
call('ZREM', FIRES, id)
return 1
