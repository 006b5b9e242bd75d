-- ARGV: now, ids. Returns a change per id.
local now = tonumber(ARGV[1])
local ids = arguments(2)
load(ids)
local answers = {}
for i, id in ipairs(ids) do
  local record, changed = records[id], false
  if record and WAITING[byte(record)] then
    finish_waiting(id, record, CANCELLED, now)
    changed = true
  elseif record and byte(record) == RUNNING and has(byte(record, 14), CANCEL_REQUESTED) == 0 then
    put(id, add_flag(record, CANCEL_REQUESTED))
    changed = true
  end
  answers[i] = record and change(changed, records[id]) or UNKNOWN
end
flush(now)
return answers
