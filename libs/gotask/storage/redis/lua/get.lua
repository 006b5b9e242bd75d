-- ARGV: ids. Returns a row per id; an empty one where there is no job.
local ids = arguments(1)
local values, found = fetch(SPEC, ids, #ids), fetch(STATE, ids, #ids)
local rows = {}
for i, id in ipairs(ids) do
  rows[i] = values[i] and row(id, values[i], found[i]) or {}
end
return rows
