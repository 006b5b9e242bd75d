-- ARGV: now, limit. Returns id, queue, attempt, worker of running jobs whose lease is over, longest first.
local limit = tonumber(ARGV[2])
local over = {}
for _, queue in ipairs(call('ZRANGE', QUEUES, 0, -1)) do
  local found = call('ZRANGEBYSCORE', index_of(RUNNING, queue), '-inf', ARGV[1], 'WITHSCORES', 'LIMIT', 0, limit)
  for i = 1, #found, 2 do over[#over + 1] = {id = found[i], lease_until = tonumber(found[i + 1])} end
end
table.sort(over, function(a, b)
  if a.lease_until ~= b.lease_until then return a.lease_until < b.lease_until end
  return a.id < b.id
end)
local ids = {}
for i = 1, math.min(limit, #over) do ids[i] = over[i].id end
local found = fetch(STATE, ids, #ids)
local answers = {}
for i, id in ipairs(ids) do
  answers[i] = {id, queue_of(found[i]), (unpack_bytes('>I4', found[i], 2)), worker_of(found[i])}
end
return answers
