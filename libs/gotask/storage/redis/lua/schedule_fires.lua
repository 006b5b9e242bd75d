-- ARGV: now, wait, limit. Returns schedule and data of open fires to be offered, earliest first. Each is taken for `wait`,
-- or its age.
local now, wait = tonumber(ARGV[1]), tonumber(ARGV[2])
local taken = {}
for _, job in ipairs(call('ZRANGEBYSCORE', OPEN_FIRES, '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])) do
  local tick, schedule, fire = open_fire(job)
  if tick then
    call('ZADD', OPEN_FIRES, decimal(now + math.max(wait, now - tick)), job)
    taken[#taken + 1] = {schedule, fire}
  end
end
return taken
