-- Names of keys, states and flags. Every script begins with this file, records.lua and changes.lua.
--
-- <ns>:spec        hash    id -> value as it was inserted (see records.lua); a job exists while it is here
-- <ns>:state       hash    id -> record (see records.lua); a job that was inserted pending has none until it is claimed
-- <ns>:all         zset    every id, score 0: the order of listings
-- <ns>:<state>:<q> zset    the ids of queue q in that state, by place in line, end of lease, due time or time of the end;
--                          <ns>:success:<q> is a list, and may hold ids of jobs that were deleted since
-- <ns>:due         zset    scheduled and retrying ids of all queues, by due time
-- <ns>:expiring    zset    waiting ids with a time to live, by its end; <ns>:expires (hash) keeps it while they run
-- <ns>:progress, <ns>:result    hash    id -> serialized v1.Progress of the newest attempt, result that is large
-- <ns>:unique, <ns>:idempotent  hash    key -> id; <ns>:unique_of, <ns>:idempotent_of the way back
-- <ns>:open_fires  zset    jobs of schedules' fires that may be inserted, by when each fire is offered (again);
--                          <ns>:open_fire (hash) has tick, schedule and serialized v1.Fire of each
-- <ns>:queues      zset    names, score 0;  <ns>:queue:<q>  hash  its settings, counters and token bucket
-- <ns>:trash       hash    key of an index that a deleted queue left -> its queue
local P = KEYS[1]
local SPEC, STATE, ALL, DUE = P .. 'spec', P .. 'state', P .. 'all', P .. 'due'
local EXPIRING, EXPIRES = P .. 'expiring', P .. 'expires'
local PROGRESS, RESULT = P .. 'progress', P .. 'result'
local UNIQUE, UNIQUE_OF = P .. 'unique', P .. 'unique_of'
local IDEMPOTENT, IDEMPOTENT_OF = P .. 'idempotent', P .. 'idempotent_of'
local SCHEDULES, OPEN_FIRES, OPEN_FIRE = P .. 'schedules', P .. 'open_fires', P .. 'open_fire'
local QUEUES, QUEUE, TRASH = P .. 'queues', P .. 'queue:', P .. 'trash'

local SCHEDULED, PENDING, RUNNING, RETRYING, SUCCESS = 1, 2, 3, 4, 5
local FAILED, DEAD, CANCELLED, EXPIRED = 6, 7, 8, 9
local INDEX = {
  'scheduled:', 'pending:', 'running:', 'retrying:', 'success:', 'failed:', 'dead:', 'cancelled:', 'expired:',
}
local WAITING = {[SCHEDULED] = true, [PENDING] = true, [RETRYING] = true}
local DELAYED = {[SCHEDULED] = true, [RETRYING] = true}

-- Flags of a job.
local HAS_EXPIRY, HAS_UNIQUE, HAS_IDEMPOTENCY, CANCEL_REQUESTED, LARGE_RESULT, INSERTED_LATER = 1, 2, 4, 8, 16, 32
local IS_FIRE = 64

-- Priorities are strata of places in line: 2^45 arrivals each, so that every place is an exact double.
local STRATUM = 2 ^ 45

local call, byte, sub, char = redis.call, string.byte, string.sub, string.char
local pack, unpack_bytes, has = struct.pack, struct.unpack, bit.band

local index_keys = {}
local function index_of(state, queue)
  local keys = index_keys[queue]
  if not keys then
    keys = {}
    index_keys[queue] = keys
  end
  local key = keys[state]
  if not key then
    key = P .. INDEX[state] .. queue
    keys[state] = key
  end
  return key
end

-- Redis would write a large number as 1.8e+15 where a string is meant.
local function decimal(number)
  return string.format('%.0f', number)
end

local function close_fire(job)
  call('ZREM', OPEN_FIRES, job)
  call('HDEL', OPEN_FIRE, job)
end

-- Tick, schedule and data of the open fire of a job; nothing when it has none, or none any more: its schedule is gone.
local function open_fire(job)
  local data = call('HGET', OPEN_FIRE, job)
  if not data then return nil end
  local id_at = string.find(data, ' ', 1, true) + 1
  local fire_at = string.find(data, ' ', id_at, true) + 1
  local schedule = sub(data, id_at, fire_at - 2)
  if call('HEXISTS', SCHEDULES, schedule) == 1 then
    return tonumber(sub(data, 1, id_at - 2)), schedule, sub(data, fire_at)
  end
  close_fire(job)
end
