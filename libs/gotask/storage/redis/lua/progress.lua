-- ARGV: prefix, then per update: id, attempt, progress. Returns per update: 1 recorded, 0 not.
local answers = {}
for i = 1, (#ARGV - 1) / 3 do
  local id = ARGV[3 * i - 1]
  local r = read(redis.call('HGET', key('state'), id))
  answers[i] = 0
  if r and r.state == RUNNING and r.attempt == tonumber(ARGV[3 * i]) then
    redis.call('HSET', key('progress'), id, ARGV[3 * i + 1])
    if not has(r.flags, HAS_PROGRESS) then
      r.flags = r.flags + HAS_PROGRESS
      redis.call('HSET', key('state'), id, pack(r))
    end
    answers[i] = 1
  end
end
return answers
