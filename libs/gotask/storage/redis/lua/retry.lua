-- ARGV: now, ids. Returns a change per id.
local now = tonumber(ARGV[1])
local ids = arguments(2)
load(ids)

-- False when another job holds its unique key by now.
local function takes_unique_key(id, record)
  if has(byte(record, 14), HAS_UNIQUE) == 0 then return true end
  local key = call('HGET', UNIQUE_OF, id)
  return call('HSETNX', UNIQUE, key, id) == 1
end

-- All attempts so far are forgiven, and neither its time to live nor an earlier cancellation counts any more.
local function retry(id, record)
  local flags = byte(record, 14)
  if has(flags, HAS_EXPIRY) > 0 then note(dropped, EXPIRES, id) end
  flags = has(flags, bit.bnot(HAS_EXPIRY + CANCEL_REQUESTED))
  note(dropped, PROGRESS, id)
  queue_up(id, set_byte(record, 14, flags), queue_of(record), sub(record, 2, 5) .. sub(record, 28), now)
end

local answers = {}
for i, id in ipairs(ids) do
  local record = records[id]
  local retried = record and byte(record) > SUCCESS and call('EXISTS', QUEUE .. queue_of(record)) == 1
    and takes_unique_key(id, record)
  if retried then retry(id, record) end
  answers[i] = record and change(retried, records[id]) or UNKNOWN
end
flush()
return answers
