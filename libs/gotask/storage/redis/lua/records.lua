-- How a job is kept. Lua cuts and joins these bytes; Python (records.py) reads and writes them. Numbers are big-endian.
--
-- value   1 length of this head | 2 flags | 3 priority | 4-11 ready at | 12-19 created at
--         20 length, queue | length, type || serialized v1.JobSpec
-- record  1 state | 2-5 attempt | 6-13 due at (scheduled, retrying), finished at (terminal)
--         14 flags | 15 priority | 16-23 ready at | 24-27 forgiven attempts | 28-35 started at
--         36 length, queue | 2 bytes length, worker | length, place in line (decimal)
--         || fragments of a serialized v1.Job: history and result
local NEVER = string.rep('\0', 8)
local NONE = string.rep('\0', 4)

local function micros(number)
  return pack('>I8', number)
end

-- The record of a job that was inserted pending and has none yet.
local function fresh(value)
  local queue_end = 20 + byte(value, 20)
  return char(PENDING) .. NONE .. NEVER .. sub(value, 2, 11) .. NONE .. NEVER .. sub(value, 20, queue_end) .. '\0\0\0'
end

local function queue_of(record)
  return sub(record, 37, 36 + byte(record, 36))
end

-- Where the worker's length stands, the place's length, and the first byte after the place.
local function offsets(record)
  local worker = 37 + byte(record, 36)
  local place = worker + 2 + byte(record, worker) * 256 + byte(record, worker + 1)
  return worker, place, place + 1 + byte(record, place)
end

local function worker_of(record)
  local worker, place = offsets(record)
  return sub(record, worker + 2, place - 1)
end

local function place_of(record)
  local _, place, rest = offsets(record)
  return sub(record, place + 1, rest - 1)
end

local function set_byte(record, position, number)
  return sub(record, 1, position - 1) .. char(number) .. sub(record, position + 1)
end

local function add_flag(record, flag)
  return set_byte(record, 14, bit.bor(byte(record, 14), flag))
end
