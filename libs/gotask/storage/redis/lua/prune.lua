-- ARGV: now, limit. Forgets terminal jobs past their queue's retention; returns how many.
local now, left = tonumber(ARGV[1]), tonumber(ARGV[2])
local limit = left

-- The list of successes may name jobs that were deleted, or inserted again, since.
local function prune_successes(queue, cutoff)
  local key = index_of(SUCCESS, queue)
  while left > 0 do
    local ids = call('LRANGE', key, 0, left - 1)
    if #ids == 0 then return end
    load(ids)
    local passed = 0
    for _, id in ipairs(ids) do
      local record = records[id]
      local kept = record and byte(record) == SUCCESS and queue_of(record) == queue
      if kept and unpack_bytes('>I8', record, 6) > cutoff then break end
      passed = passed + 1
      if kept then
        forget(id, record)
        left = left - 1
      end
    end
    call('LTRIM', key, passed, -1)
    if passed < #ids then return end
  end
end

local function prune_others(queue, cutoff)
  for state = FAILED, EXPIRED do
    if left == 0 then return end
    local ids = call('ZRANGEBYSCORE', index_of(state, queue), '-inf', decimal(cutoff), 'LIMIT', 0, left)
    load(ids)
    for _, id in ipairs(ids) do forget(id, records[id]) end
    left = left - #ids
  end
end

for _, queue in ipairs(call('ZRANGE', QUEUES, 0, -1)) do
  if left == 0 then break end
  local retention = call('HMGET', QUEUE .. queue, 'retention_success', 'retention_other')
  prune_successes(queue, now - tonumber(retention[1]))
  prune_others(queue, now - tonumber(retention[2]))
end
flush()
return limit - left
