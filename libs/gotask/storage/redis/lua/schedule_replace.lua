-- ARGV: id, data expected, data, next fire. Returns 0 when something else is stored. The name stays.
if call('HGET', SCHEDULES, ARGV[1]) ~= ARGV[2] then return 0 end
keep_schedule(ARGV[1], ARGV[3], ARGV[4])
return 1
