-- ARGV: id, name, data, next fire. Returns 0 when there is no such id, or the name is another's.
local id, name = ARGV[1], ARGV[2]
local old_name, owner = call('HGET', NAME_OF, id), call('HGET', BY_NAME, name)
if not old_name or (owner and owner ~= id) then return 0 end
call('HDEL', BY_NAME, old_name)
take_name(id, name)
keep_schedule(id, ARGV[3], ARGV[4])
return 1
