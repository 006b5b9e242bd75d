-- ARGV: the most ids wanted, states (one byte each), queue ('' is all). Returns the ids that the indexes of those states
-- hold, unsorted; nil when they are too many.
local most, states = tonumber(ARGV[1]), ARGV[2]
local queues = ARGV[3] ~= '' and {ARGV[3]} or call('ZRANGE', QUEUES, 0, -1)
local indexes, count = {}, 0
for _, queue in ipairs(queues) do
  for i = 1, #states do
    local state = byte(states, i)
    local length = call(state == SUCCESS and 'LLEN' or 'ZCARD', index_of(state, queue))
    count = count + length
    if count > most then return nil end
    if length > 0 then indexes[#indexes + 1] = {state, index_of(state, queue)} end
  end
end
local ids = {}
for _, index in ipairs(indexes) do
  for _, id in ipairs(call(index[1] == SUCCESS and 'LRANGE' or 'ZRANGE', index[2], 0, -1)) do ids[#ids + 1] = id end
end
return ids
