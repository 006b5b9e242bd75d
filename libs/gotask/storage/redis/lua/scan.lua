-- ARGV: prefix, where to begin (as ZREVRANGEBYLEX takes it), how many to look at, queue or '', states (a string of
-- digits) or ''. Returns {last id looked at or '', ids that match}.
local ids = redis.call('ZREVRANGEBYLEX', key('all'), ARGV[2], '-', 'LIMIT', 0, ARGV[3])
if #ids == 0 then return { '', {} } end
local queue, states = ARGV[4], ARGV[5]
local last = #ids == tonumber(ARGV[3]) and ids[#ids] or ''
if queue == '' and states == '' then return { last, ids } end
local records, found = many('HMGET', key('state'), ids), {}
for i = 1, #ids do
  local r = read(records[i])
  if (queue == '' or r.queue == queue) and (states == '' or string.find(states, r.state, 1, true)) then
    found[#found + 1] = ids[i]
  end
end
return { last, found }
