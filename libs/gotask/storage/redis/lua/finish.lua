-- ARGV: now, number of strings, strings with the outcomes: per outcome 1 byte length of the id, 1 byte length of the head,
-- 4 bytes length of the fragment, id, head, fragment (of a v1.Job, to append). Then, per large result, the outcome's
-- number, result.
-- head: 4 bytes attempt | new state | forgiven (0 or 1) | due at (decimal)
-- Returns a string with two bytes per outcome: status, state.
local APPLIED, STALE, REPEATED = '\0', '\1\0', '\2'
local now = tonumber(ARGV[1])
local now_us = micros(now)
local ids, heads_of, fragments, count = {}, {}, {}, 0

local function read_outcomes(text)
  local at, size = 1, #text
  while at < size do
    local id_length, head_length, a, b, c, d = byte(text, at, at + 5)
    local head_at = at + 6 + id_length
    local fragment_at = head_at + head_length
    local next_at = fragment_at + ((a * 256 + b) * 256 + c) * 256 + d
    count = count + 1
    ids[count], heads_of[count] = sub(text, at + 6, head_at - 1), sub(text, head_at, fragment_at - 1)
    fragments[count] = sub(text, fragment_at, next_at - 1)
    at = next_at
  end
end

allow_when_full()
local last = 2 + tonumber(ARGV[2])
for i = 3, last do read_outcomes(ARGV[i]) end
local large = {}
for i = last + 1, #ARGV, 2 do large[tonumber(ARGV[i])] = ARGV[i + 1] end
local found = fetch(STATE, ids, count)

local heads = {}
local function head_of(text)
  local head = heads[text]
  if not head then
    head = {attempt = sub(text, 1, 4), state = byte(text, 5), forgiven = byte(text, 6), due = sub(text, 7)}
    head.ended = char(head.state) .. head.attempt .. now_us
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
  local record, head = records[id] or found[i], head_of(heads_of[i])
  if not record or sub(record, 2, 5) ~= head.attempt then
    answers[i] = STALE
  elseif byte(record) == RUNNING then
    local state = end_state(record, head)
    if large[i] then
      record = add_flag(record, LARGE_RESULT)
      call('HSET', RESULT, id, large[i])
    end
    apply(id, record, head, state, fragments[i])
    answers[i] = APPLIED .. char(state)
  elseif byte(record) == end_state(record, head) then
    answers[i] = REPEATED .. char(byte(record))
  else
    answers[i] = STALE
  end
end
flush(now)
return table.concat(answers)
