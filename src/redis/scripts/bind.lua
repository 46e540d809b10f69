-- bind: ties a leg key to the channel that is metered; first come, first bound.
-- KEYS  1 legs  2 bound
-- ARGV  legKey, uuid, record with the uuid in it
-- Reply 'bound' (also when it is this channel already) | 'taken' | 'gone'

local legKey, uuid, record = take(), take(), take()
if redis.call('HEXISTS', KEYS[1], legKey) == 0 then return 'gone' end
local holder = redis.call('HGET', KEYS[2], legKey)
if holder == uuid then return 'bound' end
if holder then return 'taken' end
redis.call('HSET', KEYS[2], legKey, uuid)
redis.call('HSET', KEYS[1], legKey, record)
return 'bound'
