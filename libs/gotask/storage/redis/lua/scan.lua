-- One step of a listing, newest id first, that never takes long.
-- ARGV: id to start below ('' is the newest), rows wanted, ids to look at, bytes to look at, states (one byte each),
-- queue, type, created from, created before, bytes to be found in the value; '' or 0 is no criterion.
-- Returns the last id it looked at ('' at the end of all ids) and rows of jobs that match.
local wanted, ids_left, bytes_left = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local states, queue, job_type = ARGV[5], ARGV[6], ARGV[7]
local from, before, needle = tonumber(ARGV[8]), tonumber(ARGV[9]), ARGV[10]
local STEP = 100

local function matches(value, record)
  if states ~= '' and not string.find(states, char(record and byte(record) or PENDING), 1, true) then return false end
  local queue_end = 20 + byte(value, 20)
  if queue ~= '' and sub(value, 21, queue_end) ~= queue then return false end
  if job_type ~= '' and sub(value, queue_end + 2, byte(value)) ~= job_type then return false end
  if needle ~= '' and not string.find(value, needle, queue_end, true) then return false end
  local created_at = unpack_bytes('>I8', value, 12)
  return created_at >= from and (before == 0 or created_at < before)
end

local last, rows = ARGV[1], {}
while ids_left > 0 and bytes_left > 0 do
  local below = last == '' and '+' or '(' .. last
  local ids = call('ZREVRANGEBYLEX', ALL, below, '-', 'LIMIT', 0, math.min(STEP, ids_left))
  local values, found = fetch(SPEC, ids, #ids), fetch(STATE, ids, #ids)
  for i, id in ipairs(ids) do
    if matches(values[i], found[i]) then rows[#rows + 1] = row(id, values[i], found[i]) end
    bytes_left = bytes_left - #values[i] - #(found[i] or '')
    if #rows == wanted then return {id, rows} end
  end
  if #ids < math.min(STEP, ids_left) then return {'', rows} end
  last, ids_left = ids[#ids], ids_left - #ids
end
return {last, rows}
