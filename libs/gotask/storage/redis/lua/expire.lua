-- ARGV: prefix, now, limit. Returns id, queue, id, queue, ...
local now, limit, answers = tonumber(ARGV[2]), tonumber(ARGV[3]), {}
-- Running jobs keep their entry, since a retry may expire: look past them, but not for ever.
for _, id in ipairs(redis.call('ZRANGEBYSCORE', key('expiring'), '-inf', ARGV[2], 'LIMIT', 0, limit * 10)) do
  if #answers >= 2 * limit then break end
  local r = read(redis.call('HGET', key('state'), id))
  if r and is_waiting(r.state) then
    end_waiting(id, r, EXPIRED, now)
    answers[#answers + 1] = id
    answers[#answers + 1] = r.queue
  end
end
return answers
