-- unbind: the channel ended unanswered; another may take its place.
-- KEYS  1 legs  2 bound
-- ARGV  legKey, uuid, record without the uuid
-- Reply 1 untied | 0 it was not this channel's. Replay: 0.

local legKey, uuid, record = take(), take(), take()
if redis.call('HGET', KEYS[2], legKey) ~= uuid then return 0 end
redis.call('HDEL', KEYS[2], legKey)
if redis.call('HEXISTS', KEYS[1], legKey) == 1 then redis.call('HSET', KEYS[1], legKey, record) end
return 1
