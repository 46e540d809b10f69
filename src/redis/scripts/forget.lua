-- forget: a customer's pool that was lost is closed without having been opened again, for nobody talks on it.
-- KEYS  1 wallet  2 lost  3 stream  4 closed
-- ARGV  clock, account, the stream's entry for what is left, how much that is, a name of its own
-- Reply 1 closed | 0 it is there, or was closed just now. Replay: 0, for longer than whoever looked before takes to come.

local CLOSED_KEPT_MS = 600000

local now = clock(take())
local account, entry, amount, serial = take(), take(), takeNumber(), take()
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
if not redis.call('SET', KEYS[4], int(now), 'NX', 'PX', CLOSED_KEPT_MS) then return 0 end
redis.call('HDEL', KEYS[2], account)
appendTransfer(KEYS[3], entry, { serial = serial, opened = amount }, amount, now)
return 1
