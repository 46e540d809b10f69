-- release: the channel is going; frees its counters, keeps record and money (ruling 24).
-- KEYS  1 slots, then per holder: use
-- ARGV  legKey, holders, per holder: counters, index each
-- Reply 1 freed | 0 not counted (any more). Replay: 0, nothing moves.

local legKey, uncounts = take(), takeUncounts(2, 1)
if redis.call('HDEL', KEYS[1], legKey) == 0 then return 0 end
saveUncounts(uncounts)
return 1
