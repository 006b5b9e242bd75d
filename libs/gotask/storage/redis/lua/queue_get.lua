-- ARGV: names, or nothing for all. Returns serialized v1.Queue, paused, created at, updated at of each that exists.
local names = #ARGV > 0 and ARGV or call('ZRANGE', QUEUES, 0, -1)
local rows = {}
for _, name in ipairs(names) do
  local row = call('HMGET', QUEUE .. name, 'data', 'paused', 'created_at', 'updated_at')
  if row[1] then rows[#rows + 1] = row end
end
return rows
