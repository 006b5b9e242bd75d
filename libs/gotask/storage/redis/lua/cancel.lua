-- ARGV: prefix, now, then ids. Returns per job: changed, state, queue, worker.
local now, answers = tonumber(ARGV[2]), {}
for i = 3, #ARGV do
  local id = ARGV[i]
  local r = read(redis.call('HGET', key('state'), id))
  local changed = 0
  if r and is_waiting(r.state) then
    end_waiting(id, r, CANCELLED, now)
    changed = 1
  elseif r and r.state == RUNNING and not has(r.flags, CANCEL_REQUESTED) then
    r.flags = r.flags + CANCEL_REQUESTED
    redis.call('HSET', key('state'), id, pack(r))
    changed = 1
  end
  answers[i - 2] = { changed, r and r.state or 0, r and r.queue or '', r and r.worker or '' }
end
return answers
