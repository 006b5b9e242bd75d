-- ARGV: ids. Returns the data of each that exists.
return call('HMGET', SCHEDULES, unpack(ARGV))
