-- ARGV: now, ids. Returns a change per id.
local now = tonumber(ARGV[1])
local ids = arguments(2)
load(ids)
local answers = {}
for i, id in ipairs(ids) do
  local record = records[id]
  local due = record and DELAYED[byte(record)] and unpack_bytes('>I8', record, 6) <= now
  if due then queue_up(id, record, queue_of(record), sub(record, 24), now) end
  answers[i] = record and change(due, records[id]) or UNKNOWN
end
flush()
return answers
