-- ARGV: now, queue, limit. Cancels jobs that wait in the queue, those in line first; returns their ids.
local now, limit = tonumber(ARGV[1]), tonumber(ARGV[3])
local ids = {}
for _, state in ipairs({PENDING, SCHEDULED, RETRYING}) do
  if #ids < limit then
    for _, id in ipairs(call('ZRANGE', index_of(state, ARGV[2]), 0, limit - #ids - 1)) do ids[#ids + 1] = id end
  end
end
load(ids)
for _, id in ipairs(ids) do finish_waiting(id, records[id], CANCELLED, now) end
flush(now)
return ids
