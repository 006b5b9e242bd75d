-- ARGV: ids. Returns a change per id.
local ids = arguments(1)
load(ids)
local answers = {}
for i, id in ipairs(ids) do
  local record = records[id]
  local ended = record and byte(record) >= SUCCESS
  answers[i] = record and change(ended, record) or UNKNOWN
  if ended then forget(id, record) end
end
flush()
return answers
