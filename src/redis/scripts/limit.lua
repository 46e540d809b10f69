-- limit: how long a leg may last is limited anew; its record says so, and its deadline where it is answered.
-- KEYS  1 legs  2 channels  3 deadlines
-- ARGV  legKey, record as the caller read it, record with the new limit, seconds or '' for no limit,
--       the moment up to which the record lets it go on, or ''
-- Reply the deadline, '' where there is none | 'stale' when the record is another by now. Replay: 'stale', or the same again.

local legKey, expected, record, seconds, untilAt = take(), take(), take(), take(), take()
if redis.call('HGET', KEYS[1], legKey) ~= expected then return 'stale' end
local _, answeredAt = readChannel(redis.call('HGET', KEYS[2], legKey))
redis.call('HSET', KEYS[1], legKey, record)
if answeredAt == UNKNOWN then return '' end
local deadline = tonumber(untilAt)
if seconds ~= '' then
  local length = tonumber(answeredAt) + tonumber(seconds) * 1000
  deadline = math.min(deadline or length, length)
end
if not deadline then
  redis.call('ZREM', KEYS[3], legKey)
  return ''
end
redis.call('ZADD', KEYS[3], int(deadline), legKey)
return int(deadline)
