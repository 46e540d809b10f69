-- release: the channel is going, or a slot that is not home gives the leg back; frees its counters, keeps record and
-- money (ruling 24).
-- KEYS  1 slots, then per holder: use; then the ticks that it leaves
-- ARGV  legKey, holders (see counts)
-- Reply 1 freed | 0 not counted (any more). Replay: 0, nothing moves.

local legKey = take()
local back, ticks = takeBack(2)
dropTicks(ticks, legKey)
if redis.call('HDEL', KEYS[1], legKey) == 0 then return 0 end
saveBack(back)
return 1
