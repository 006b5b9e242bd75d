-- ARGV: id, name, revision, data, next fire. Returns 0 when the id or the name is taken.
local id, name = ARGV[1], ARGV[2]
if call('HEXISTS', SCHEDULES, id) == 1 or call('HEXISTS', BY_NAME, name) == 1 then return 0 end
take_name(id, name)
keep_schedule(id, ARGV[3], ARGV[4], ARGV[5])
return 1
