-- <ns>:schedules          hash  id -> serialized v1.Schedule;  <ns>:schedule_revision  hash  id -> its revision
-- <ns>:schedule_name      hash  id -> name;  <ns>:schedule_by_name the way back;  <ns>:schedule_names  zset, score 0
-- <ns>:fires              zset  ids that will fire, by when, or by until when they are taken
-- <ns>:open_fires, <ns>:open_fire   see keys.lua
local REVISION, FIRES = P .. 'schedule_revision', P .. 'fires'
local NAME_OF, BY_NAME, NAMES = P .. 'schedule_name', P .. 'schedule_by_name', P .. 'schedule_names'

-- next_fire: '' when it is paused or never fires again.
local function keep_schedule(id, revision, data, next_fire)
  call('HSET', SCHEDULES, id, data)
  call('HSET', REVISION, id, revision)
  if next_fire == '' then call('ZREM', FIRES, id) else call('ZADD', FIRES, next_fire, id) end
end

local function take_name(id, name)
  call('HSET', NAME_OF, id, name)
  call('HSET', BY_NAME, name, id)
  call('ZADD', NAMES, 0, name)
end

local function free_name(id)
  local name = call('HGET', NAME_OF, id)
  call('HDEL', NAME_OF, id)
  call('HDEL', BY_NAME, name)
  call('ZREM', NAMES, name)
end
