-- ARGV: prefix, then ids. Returns per job: changed, state, queue.
local answers, ids, records, gone = {}, {}, {}, {}
for i = 2, #ARGV do
  local id = ARGV[i]
  local r = not gone[id] and read(redis.call('HGET', key('state'), id)) or nil
  local changed = 0
  if r and is_terminal(r.state) then
    ids[#ids + 1], records[#records + 1], gone[id] = id, r, true
    changed = 1
  end
  answers[i - 1] = { changed, r and r.state or 0, r and r.queue or '', '' }
end
forget(ids, records)
return answers
