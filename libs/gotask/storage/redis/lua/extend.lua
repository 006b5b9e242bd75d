-- ARGV: prefix, then per lease: id, attempt, until. Returns per lease: 0 extended, 1 lost, 2 cancel requested.
local count = (#ARGV - 1) / 3
local ids, answers = {}, {}
for i = 1, count do ids[i] = ARGV[3 * i - 1] end
local stored = many('HMGET', key('state'), ids)
local zadd, send = gatherer('ZADD')
for i = 1, count do
  local r = read(stored[i])
  if not r or r.state ~= RUNNING or r.attempt ~= tonumber(ARGV[3 * i]) then
    answers[i] = 1
  else
    zadd(key('running:' .. r.queue), ARGV[3 * i + 1], ids[i])
    answers[i] = has(r.flags, CANCEL_REQUESTED) and 2 or 0
  end
end
send()
return answers
