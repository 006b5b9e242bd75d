-- ARGV: prefix, then names, or '*' for all. Returns per queue that exists, by name: {serialized Queue, paused}.
local names, answers = {}, {}
if ARGV[2] == '*' then
  names = redis.call('HKEYS', key('queue'))
else
  for i = 2, #ARGV do names[#names + 1] = ARGV[i] end
end
table.sort(names)
for i = 1, #names do
  local stored = redis.call('HGET', key('queue'), names[i])
  if stored then
    answers[#answers + 1] = { stored, redis.call('HGET', key('q:' .. names[i]), 'paused') }
  end
end
return answers
