-- ARGV: per lease its id, token (state RUNNING, 4 bytes attempt), new end. Returns a status per lease.
allow_when_full()
local EXTENDED, LOST, TO_BE_CANCELLED = 0, 1, 2
local ids = {}
for i = 1, #ARGV / 3 do ids[i] = ARGV[3 * i - 2] end
local found = fetch(STATE, ids, #ids)
local answers = {}
for i, id in ipairs(ids) do
  local record = found[i]
  if record and sub(record, 1, 5) == ARGV[3 * i - 1] then
    note_pair(added, index_of(RUNNING, queue_of(record)), ARGV[3 * i], id)
    answers[i] = has(byte(record, 14), CANCEL_REQUESTED) > 0 and TO_BE_CANCELLED or EXTENDED
  else
    answers[i] = LOST
  end
end
flush()
return answers
