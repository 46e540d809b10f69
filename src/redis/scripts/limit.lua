-- limit: how long a leg may last is limited anew; its record says so, and its deadline where it is answered.
-- KEYS  1 legs  2 answered  3 deadlines
-- ARGV  legKey, record as the caller read it, record with the new limit, seconds or '' for no limit
-- Reply the deadline, '' where there is none | 'stale' when the record is another by now. Replay: 'stale', or the same again.

local legKey, expected, record, seconds = take(), take(), take(), take()
if redis.call('HGET', KEYS[1], legKey) ~= expected then return 'stale' end
redis.call('HSET', KEYS[1], legKey, record)
local answeredAt = redis.call('HGET', KEYS[2], legKey)
if not answeredAt then return '' end
if seconds == '' then
  redis.call('ZREM', KEYS[3], legKey)
  return ''
end
local deadline = int(tonumber(answeredAt) + tonumber(seconds) * 1000)
redis.call('ZADD', KEYS[3], deadline, legKey)
return deadline
