-- ARGV: jobs. Returns for each whether its fire is open.
local answers = {}
for i, job in ipairs(ARGV) do answers[i] = open_fire(job) and 1 or 0 end
return answers
