-- unbind: the channel ended unanswered; another may take its place.
-- KEYS  1 channels
-- ARGV  legKey, uuid
-- Reply 1 untied | 0 it was not this channel's. Replay: 0.

local legKey, uuid = take(), take()
local holder, answeredAt = readChannel(redis.call('HGET', KEYS[1], legKey))
if holder ~= uuid then return 0 end
if answeredAt == UNKNOWN then
  redis.call('HDEL', KEYS[1], legKey)
else
  redis.call('HSET', KEYS[1], legKey, UNKNOWN .. ' ' .. answeredAt)
end
return 1
