-- ARGV: now, wait, limit. Returns schedule and data of open fires to be offered, earliest first. Each is taken for `wait`,
-- or its age; those of schedules that are gone are closed.
local now, wait = tonumber(ARGV[1]), tonumber(ARGV[2])
local taken = {}
for _, job in ipairs(call('ZRANGEBYSCORE', OPEN_FIRES, '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])) do
  local data = call('HGET', OPEN_FIRE, job)
  local id_at = string.find(data, ' ', 1, true) + 1
  local fire_at = string.find(data, ' ', id_at, true) + 1
  local schedule = sub(data, id_at, fire_at - 2)
  if call('HEXISTS', SCHEDULES, schedule) == 1 then
    local age = now - tonumber(sub(data, 1, id_at - 2))
    call('ZADD', OPEN_FIRES, decimal(now + math.max(wait, age)), job)
    taken[#taken + 1] = {schedule, sub(data, fire_at)}
  else
    close_fire(job)
  end
end
return taken
