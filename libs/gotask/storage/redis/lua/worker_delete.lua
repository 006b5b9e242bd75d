-- ARGV: id.
call('HDEL', P .. 'worker', ARGV[1])
call('ZREM', P .. 'workers', ARGV[1])
