-- forget: a customer's pool that was lost is closed without having been opened again, for nobody talks on it.
-- KEYS  1 wallet  2 lost  3 stream
-- ARGV  clock, account, the stream's entry for what is left, how much that is, a name of its own
-- Reply 1 closed | 0 it is there. A replay would say to the books again what is left: whoever calls has looked before.

local now = clock(take())
local account, entry, amount, serial = take(), take(), takeNumber(), take()
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HDEL', KEYS[2], account)
appendTransfer(KEYS[3], entry, { serial = serial, opened = amount }, amount, now)
return 1
