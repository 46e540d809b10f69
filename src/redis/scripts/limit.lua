-- limit: how long a leg may last is limited anew; its record says so, and its deadline where it is answered.
-- KEYS  1 legs  2 answered  3 deadlines
-- ARGV  legKey, record as the caller read it, record with the new limit, seconds before and now, '' for no limit
-- Reply the deadline, '' where there is none | 'stale' when the record is another by now. Replay: 'stale', or the same again.

local legKey, expected, record, before, seconds = take(), take(), take(), take(), take()
if redis.call('HGET', KEYS[1], legKey) ~= expected then return 'stale' end
redis.call('HSET', KEYS[1], legKey, record)
local answeredAt = redis.call('HGET', KEYS[2], legKey)
if not answeredAt then return '' end
local function after(length) return tonumber(answeredAt) + tonumber(length) * 1000 end
local deadline = seconds ~= '' and after(seconds) or nil
local standing = tonumber(redis.call('ZSCORE', KEYS[3], legKey) or '')
-- One that is earlier than the record had it is for what the leg goes on by, and stays.
if standing and (before == '' or standing < after(before)) then deadline = math.min(deadline or standing, standing) end
if not deadline then
  redis.call('ZREM', KEYS[3], legKey)
  return ''
end
redis.call('ZADD', KEYS[3], int(deadline), legKey)
return int(deadline)
