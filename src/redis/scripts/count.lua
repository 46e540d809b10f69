-- count: what a leg takes in a slot that is not home, where nobody pays for it.
-- KEYS  1 slots, then per holder: use; then per holder whose admissions are counted: ticks
-- ARGV  clock or 'none' where no ticks are counted, legKey, membership text, holders (see counts)
-- Reply uses, as of take | {'already'} | {'full', uses, holder, index of the bound, bound, use}
-- Replay: the leg key is a member, so nothing is taken twice; the reply is 'already'.

local time, legKey, membership = take(), take(), take()
if redis.call('HEXISTS', KEYS[1], legKey) == 1 then return { 'already' } end
local now = time ~= 'none' and clock(time)
local uses, saves, ticks = takeHolders(now, 2)
if not uses then return saves end
saveHolders(saves, ticks, legKey, now)
redis.call('HSET', KEYS[1], legKey, membership)
return table.concat(uses, ';')
