-- ARGV: limit. Forgets up to so many jobs of deleted queues; returns how many bags of them are left.
local bag = call('HRANDFIELD', TRASH)
if not bag then return 0 end
local queue = call('HGET', TRASH, bag)

local last = tonumber(ARGV[1]) - 1
local list = call('TYPE', bag).ok == 'list'
local ids = call(list and 'LRANGE' or 'ZRANGE', bag, 0, last)
load(ids)
for _, id in ipairs(ids) do
  local record = records[id]
  if record and byte(record) >= SUCCESS and queue_of(record) == queue then forget(id, record) end
end
if list then call('LTRIM', bag, last + 1, -1) else call('ZREMRANGEBYRANK', bag, 0, last) end
if call('EXISTS', bag) == 0 then call('HDEL', TRASH, bag) end
flush()
return call('HLEN', TRASH)
