-- unbind: the channel ended unanswered; another may take its place.
-- KEYS  1 bound
-- ARGV  legKey, uuid
-- Reply 1 untied | 0 it was not this channel's. Replay: 0.

local legKey, uuid = take(), take()
if redis.call('HGET', KEYS[1], legKey) ~= uuid then return 0 end
return redis.call('HDEL', KEYS[1], legKey)
