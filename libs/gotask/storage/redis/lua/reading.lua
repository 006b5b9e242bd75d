-- What Python needs to build a v1.Job: value, record ('' for none), end of lease, progress, large result.
local function row(id, value, record)
  local lease_until, result = '', ''
  if record and byte(record) == RUNNING then
    lease_until = call('ZSCORE', index_of(RUNNING, queue_of(record)), id)
  end
  if record and has(byte(record, 14), LARGE_RESULT) > 0 then result = call('HGET', RESULT, id) end
  return {value, record or '', lease_until, record and call('HGET', PROGRESS, id) or '', result}
end
