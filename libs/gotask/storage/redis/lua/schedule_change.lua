-- ARGV: when opened fires are offered; per schedule: id, name, revision it must have, data, next fire, numbers of opened and
-- closed fires, per opened one its job and data, per closed one its job. Returns a status per schedule.
local CHANGED, STALE, NAME_TAKEN = 0, 1, 2

local function change(at)
  local id, name, revision = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  if call('HGET', REVISION, id) ~= revision then return STALE end
  local owner = call('HGET', BY_NAME, name)
  if owner and owner ~= id then return NAME_TAKEN end
  if not owner then
    free_name(id)
    take_name(id, name)
  end
  keep_schedule(id, decimal(tonumber(revision) + 1), ARGV[at + 3], ARGV[at + 4])
  local fires = at + 7
  local closed = fires + 2 * tonumber(ARGV[at + 5])
  for i = fires, closed - 1, 2 do
    call('ZADD', OPEN_FIRES, ARGV[1], ARGV[i])
    call('HSET', OPEN_FIRE, ARGV[i], ARGV[i + 1])
  end
  for i = closed, closed + tonumber(ARGV[at + 6]) - 1 do close_fire(ARGV[i]) end
  return CHANGED
end

local answers = {}
local at = 2
while at <= #ARGV do
  answers[#answers + 1] = change(at)
  at = at + 7 + 2 * tonumber(ARGV[at + 5]) + tonumber(ARGV[at + 6])
end
return answers
