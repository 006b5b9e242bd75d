-- ARGV: prefix, now, limit. Returns how many jobs were forgotten.
local now, left, forgotten = tonumber(ARGV[2]), tonumber(ARGV[3]), 0
for _, queue in ipairs(redis.call('HKEYS', key('queue'))) do
  local kept = redis.call('HMGET', key('q:' .. queue), 'retention_success', 'retention_other')
  for state = SUCCESS, EXPIRED do
    if left > 0 then
      local until_ = now - tonumber(kept[state == SUCCESS and 1 or 2] or '0')
      local index = key('finished:' .. queue .. ':' .. state)
      local ids = redis.call('ZRANGEBYSCORE', index, '-inf', number(until_), 'LIMIT', 0, left)
      local records = many('HMGET', key('state'), ids)
      for i = 1, #ids do records[i] = read(records[i]) end
      forget(ids, records)
      left, forgotten = left - #ids, forgotten + #ids
    end
  end
end
return forgotten
