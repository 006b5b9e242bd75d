-- <ns>:schedules        hash  id -> serialized v1.Schedule
-- <ns>:schedule_name    hash  id -> name;  <ns>:schedule_by_name the way back
-- <ns>:fires            zset  ids that will fire, by when
local SCHEDULES, FIRES = P .. 'schedules', P .. 'fires'
local NAME_OF, BY_NAME = P .. 'schedule_name', P .. 'schedule_by_name'

-- next_fire: '' when it is paused or never fires again.
local function keep_schedule(id, data, next_fire)
  call('HSET', SCHEDULES, id, data)
  if next_fire == '' then call('ZREM', FIRES, id) else call('ZADD', FIRES, next_fire, id) end
end

local function take_name(id, name)
  call('HSET', NAME_OF, id, name)
  call('HSET', BY_NAME, name, id)
end
