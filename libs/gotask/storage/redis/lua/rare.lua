-- ARGV: prefix, limit, queue or '', states (a string of digits). Returns {1, ids} of all jobs in these states when
-- the indexes that hold them have at most limit entries, else {0, {}}.
local limit, names = tonumber(ARGV[2]), { ARGV[3] }
if ARGV[3] == '' then names = redis.call('HKEYS', key('queue')) end
local indexes, waits = {}, false
for digit in string.gmatch(ARGV[4], '%d') do
  local state = tonumber(digit)
  if state == SCHEDULED or state == RETRYING then
    waits = true
  else
    for _, name in ipairs(names) do
      local index = 'finished:' .. name .. ':' .. state
      if state == PENDING then index = 'ready:' .. name elseif state == RUNNING then index = 'running:' .. name end
      indexes[#indexes + 1] = key(index)
    end
  end
end
if waits then indexes[#indexes + 1] = key('due') end
local total = 0
for _, index in ipairs(indexes) do
  total = total + redis.call('ZCARD', index)
  if total > limit then return { 0, {} } end
end
local ids = {}
for _, index in ipairs(indexes) do
  local here = redis.call('ZRANGE', index, 0, -1)
  local records = index == key('due') and many('HMGET', key('state'), here)
  for i = 1, #here do
    local r = records and read(records[i])
    local wanted = not r or (string.find(ARGV[4], r.state, 1, true) and (ARGV[3] == '' or r.queue == ARGV[3]))
    if wanted then ids[#ids + 1] = here[i] end
  end
end
return { 1, ids }
