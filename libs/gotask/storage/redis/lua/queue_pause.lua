-- ARGV: name, paused (0 or 1), now. Returns 0 when the queue does not exist.
local key = QUEUE .. ARGV[1]
local paused = call('HGET', key, 'paused')
if not paused then return 0 end
if paused ~= ARGV[2] then call('HSET', key, 'paused', ARGV[2], 'updated_at', ARGV[3]) end
return 1
