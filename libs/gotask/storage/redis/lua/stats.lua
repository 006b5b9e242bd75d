-- ARGV: now, names of queues. Returns per queue the numbers of v1.QueueStats; an empty row for one that does not exist.
local bucket = math.floor(tonumber(ARGV[1]) / 10000000)

local function ended_last_minute(key)
  local ended = 0
  for slot = 0, 6 do
    local pair = call('HMGET', key, 'bucket' .. slot, 'ended' .. slot)
    if pair[1] and tonumber(pair[1]) > bucket - 6 then ended = ended + tonumber(pair[2]) end
  end
  return ended
end

local function oldest_ready_at(queue)
  local id = call('ZRANGE', index_of(PENDING, queue), 0, 0)[1]
  if not id then return 0 end
  local record = call('HGET', STATE, id)
  if record then return (unpack_bytes('>I8', record, 16)) end
  return (unpack_bytes('>I8', call('HGET', SPEC, id), 4))
end

local rows = {}
for i = 2, #ARGV do
  local queue = ARGV[i]
  local kept = call('HMGET', QUEUE .. queue, 'paused', 'completed', 'failed')
  if not kept[1] then
    rows[i - 1] = {}
  else
    local function count(state) return call('ZCARD', index_of(state, queue)) end
    rows[i - 1] = {
      count(PENDING), count(RUNNING), count(SCHEDULED), count(RETRYING), count(DEAD),
      tonumber(kept[2] or 0), tonumber(kept[3] or 0), ended_last_minute(QUEUE .. queue), oldest_ready_at(queue),
      tonumber(kept[1]),
    }
  end
end
return rows
