-- ARGV: now, then per outcome its id, head, fragment of v1.Job to append; after the outcomes '' and, per large result,
-- the outcome's number, result.
-- head: state RUNNING | 4 bytes attempt | new state | forgiven (0 or 1) | due at (decimal)
-- Returns a string with two bytes per outcome: status, state.
local APPLIED, STALE, REPEATED = '\0', '\1\0', '\2'
local now = tonumber(ARGV[1])
local now_us = micros(now)

local ids, count = {}, 0
while ARGV[3 * count + 2] ~= '' do
  count = count + 1
  ids[count] = ARGV[3 * count - 1]
end
local large = {}
for i = 3 * count + 3, #ARGV, 2 do large[tonumber(ARGV[i])] = ARGV[i + 1] end
local found = fetch(STATE, ids, count)

local heads = {}
local function head_of(text)
  local head = heads[text]
  if not head then
    head = {token = sub(text, 1, 5), state = byte(text, 6), forgiven = byte(text, 7), due = sub(text, 8)}
    head.ended = char(head.state) .. sub(text, 2, 5) .. now_us
    heads[text] = head
  end
  return head
end

-- What the attempt leaves, where cancellation was asked for.
local function end_state(record, head)
  if WAITING[head.state] and has(byte(record, 14), CANCEL_REQUESTED) > 0 then return CANCELLED end
  return head.state
end

local function apply(id, record, head, state, fragment)
  local queue = queue_of(record)
  if head.forgiven == 1 then
    record = sub(record, 1, 23) .. pack('>I4', unpack_bytes('>I4', record, 24) + 1) .. sub(record, 28)
  end
  if state == PENDING then
    move(id, record, queue, RUNNING, PENDING, place_of(record))
    put(id, char(PENDING) .. sub(record, 2, 5) .. NEVER .. sub(record, 14, 15) .. now_us .. sub(record, 24) .. fragment)
    note(dropped, PROGRESS, id)
  elseif state == RETRYING then
    move(id, record, queue, RUNNING, RETRYING, head.due)
    put(id, char(RETRYING) .. sub(record, 2, 5) .. micros(tonumber(head.due)) .. sub(record, 14) .. fragment)
    note(dropped, PROGRESS, id)
  else
    move(id, record, queue, RUNNING, state, now)
    local ended = state == head.state and head.ended or char(state) .. sub(record, 2, 5) .. now_us
    put(id, ended .. sub(record, 14) .. fragment)
  end
end

local answers = {}
for i = 1, count do
  local id = ids[i]
  local record, head = records[id] or found[i], head_of(ARGV[3 * i])
  if not record or sub(record, 2, 5) ~= sub(head.token, 2) then
    answers[i] = STALE
  elseif byte(record) == RUNNING then
    local state = end_state(record, head)
    if large[i] then
      record = add_flag(record, LARGE_RESULT)
      call('HSET', RESULT, id, large[i])
    end
    apply(id, record, head, state, ARGV[3 * i + 1])
    answers[i] = APPLIED .. char(state)
  elseif byte(record) == end_state(record, head) then
    answers[i] = REPEATED .. char(byte(record))
  else
    answers[i] = STALE
  end
end
flush(now)
return table.concat(answers)
