-- ARGV: per update its id, token (state RUNNING, 4 bytes attempt), progress. Returns 1 or 0 per update.
local ids = {}
for i = 1, #ARGV / 3 do ids[i] = ARGV[3 * i - 2] end
local found = fetch(STATE, ids, #ids)
local answers, kept = {}, {n = 0}
for i, id in ipairs(ids) do
  local holds = found[i] and sub(found[i], 1, 5) == ARGV[3 * i - 1]
  if holds then
    kept[kept.n + 1], kept[kept.n + 2], kept.n = id, ARGV[3 * i], kept.n + 2
  end
  answers[i] = holds and 1 or 0
end
variadic('HSET', PROGRESS, kept)
return answers
