-- bind: ties a leg key to the channel that is metered; first come, first bound.
-- KEYS  1 legs  2 channels
-- ARGV  legKey, uuid
-- Reply 'bound' (also when it is this channel already) | 'taken' | 'gone'. Replay: 'bound', nothing changes.

local legKey, uuid = take(), take()
if redis.call('HEXISTS', KEYS[1], legKey) == 0 then return 'gone' end
local holder, answeredAt = readChannel(redis.call('HGET', KEYS[2], legKey))
if holder ~= UNKNOWN then return holder == uuid and 'bound' or 'taken' end
redis.call('HSET', KEYS[2], legKey, uuid .. ' ' .. answeredAt)
return 'bound'
