-- ARGV: prefix, then ids. Returns per job: record, spec, history, result, progress, end of lease; or nothing.
local answers = {}
for i = 2, #ARGV do
  local id = ARGV[i]
  local record = redis.call('HGET', key('state'), id)
  if record then
    local r = read(record)
    local running = r.state == RUNNING
    answers[i - 1] = {
      record,
      redis.call('HGET', key('spec'), id),
      has(r.flags, HAS_HISTORY) and redis.call('HGET', key('history'), id) or '',
      r.state == SUCCESS and redis.call('HGET', key('result'), id) or '',
      has(r.flags, HAS_PROGRESS) and redis.call('HGET', key('progress'), id) or '',
      running and redis.call('ZSCORE', key('running:' .. r.queue), id) or '0',
    }
  else
    answers[i - 1] = {}
  end
end
return answers
