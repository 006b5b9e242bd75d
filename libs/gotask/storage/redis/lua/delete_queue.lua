-- ARGV: prefix, name, chunk. Returns 0 deleted, 1 unknown, 2 not empty, 3 call again.
local name = ARGV[2]
if redis.call('HEXISTS', key('queue'), name) == 0 then return 1 end
local q = redis.call('HMGET', key('q:' .. name), 'scheduled', 'retrying')
local waiting = tonumber(q[1] or '0') + tonumber(q[2] or '0')
  + redis.call('ZCARD', key('ready:' .. name)) + redis.call('ZCARD', key('running:' .. name))
if waiting > 0 then return 2 end
for state = SUCCESS, EXPIRED do
  local ids = redis.call('ZRANGE', key('finished:' .. name .. ':' .. state), 0, tonumber(ARGV[3]) - 1)
  if #ids > 0 then
    local records = many('HMGET', key('state'), ids)
    for i = 1, #ids do records[i] = read(records[i]) end
    forget(ids, records)
    return 3
  end
end
redis.call('HDEL', key('queue'), name)
redis.call('DEL', key('q:' .. name))
return 0
