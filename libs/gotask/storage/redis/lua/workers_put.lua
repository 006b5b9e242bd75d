-- ARGV: expires at, then id, serialized v1.WorkerInfo per worker.
for i = 2, #ARGV, 2 do
  call('HSET', P .. 'worker', ARGV[i], ARGV[i + 1])
  call('ZADD', P .. 'workers', ARGV[1], ARGV[i])
end
