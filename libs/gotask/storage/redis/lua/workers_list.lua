-- ARGV: now. Forgets workers that have expired; returns the data of the others.
local gone = call('ZRANGEBYSCORE', P .. 'workers', '-inf', ARGV[1])
for _, id in ipairs(gone) do
  call('HDEL', P .. 'worker', id)
  call('ZREM', P .. 'workers', id)
end
return call('HVALS', P .. 'worker')
