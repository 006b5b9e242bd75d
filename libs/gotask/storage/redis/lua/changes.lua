-- A script reads, decides job by job, and notes what is to change; flush() then writes with few variadic commands.
local CHUNK = 1000

local records = {} -- id -> record as this call leaves it; false for a job that it forgot
local dirty = {n = 0}
local removed, added, appended, dropped, counted = {}, {}, {}, {}, {}

local function list_in(batch, key)
  local list = batch[key]
  if not list then
    list = {n = 0}
    batch[key] = list
  end
  return list
end

local function note(batch, key, item)
  local list = list_in(batch, key)
  local n = list.n + 1
  list[n], list.n = item, n
end

local function note_pair(batch, key, first, second)
  local list = list_in(batch, key)
  local n = list.n + 2
  list[n - 1], list[n], list.n = first, second, n
end

local function put(id, record)
  records[id] = record
  local n = dirty.n + 2
  dirty[n - 1], dirty[n], dirty.n = id, record, n
end

local function variadic(command, key, items)
  for first = 1, items.n, CHUNK do
    call(command, key, unpack(items, first, math.min(first + CHUNK - 1, items.n)))
  end
end

local function fetch(key, ids, n)
  if n <= CHUNK then return n > 0 and call('HMGET', key, unpack(ids, 1, n)) or {} end
  local found = {}
  for first = 1, n, CHUNK do
    for i, item in ipairs(call('HMGET', key, unpack(ids, first, math.min(first + CHUNK - 1, n)))) do
      found[first + i - 1] = item
    end
  end
  return found
end

-- ARGV from `first` on; unpack() would fail beyond some thousands.
local function arguments(first)
  local items = {}
  for i = first, #ARGV do items[i - first + 1] = ARGV[i] end
  return items
end

-- Reads the records of jobs into `records`; false where there is no job.
local function load(ids)
  local found = fetch(STATE, ids, #ids)
  for i, id in ipairs(ids) do
    if records[id] == nil then
      local value = not found[i] and call('HGET', SPEC, id)
      records[id] = found[i] or value and fresh(value)
    end
  end
end

-- Jobs that ended within a minute are counted in a ring of ten-second buckets.
local function count_ended(queue, completed, failed, now)
  local key = QUEUE .. queue
  local bucket = math.floor(now / 10000000)
  local slot = bucket % 7
  if completed > 0 then call('HINCRBY', key, 'completed', completed) end
  if failed > 0 then call('HINCRBY', key, 'failed', failed) end
  if tonumber(call('HGET', key, 'bucket' .. slot) or -1) < bucket then
    call('HSET', key, 'bucket' .. slot, decimal(bucket), 'ended' .. slot, completed + failed)
  else
    call('HINCRBY', key, 'ended' .. slot, completed + failed)
  end
end

-- A server whose memory is full refuses a script's first write if it could need memory, and none after it. What drains
-- the server must not be refused: it begins with a removal, if only this one, of nothing.
local function allow_when_full()
  call('DEL', P .. 'nothing')
end

-- Removals go first; see allow_when_full().
local function flush(now)
  for key, items in pairs(removed) do variadic('ZREM', key, items) end
  for key, items in pairs(dropped) do variadic('HDEL', key, items) end
  variadic('HSET', STATE, dirty)
  for key, items in pairs(added) do variadic('ZADD', key, items) end
  for key, items in pairs(appended) do variadic('RPUSH', key, items) end
  for queue, count in pairs(counted) do count_ended(queue, count.completed, count.failed, now) end
end
