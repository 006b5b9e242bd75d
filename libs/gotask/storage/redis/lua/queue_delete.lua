-- ARGV: name. The queue is gone at once; its terminal jobs go to the trash, which empty_trash.lua empties in steps.
local DELETED, NO_SUCH_QUEUE, NOT_EMPTY = 0, 1, 2
local queue = ARGV[1]
if call('EXISTS', QUEUE .. queue) == 0 then return NO_SUCH_QUEUE end
for _, state in ipairs({SCHEDULED, PENDING, RUNNING, RETRYING}) do
  if call('EXISTS', index_of(state, queue)) == 1 then return NOT_EMPTY end
end
for state = SUCCESS, EXPIRED do
  if call('EXISTS', index_of(state, queue)) == 1 then
    local bag = P .. 'trash:' .. decimal(call('INCR', P .. 'bags'))
    call('RENAME', index_of(state, queue), bag)
    call('HSET', TRASH, bag, queue)
  end
end
call('DEL', QUEUE .. queue)
call('ZREM', QUEUES, queue)
return DELETED
