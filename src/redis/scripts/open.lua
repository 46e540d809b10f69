-- open: creates a wallet that is not there; changes nothing where it is.
-- KEYS  1 wallet
-- ARGV  clock, balance, credit, policy, what it is filled with and until when, '' for money; what came into a customer's
--       pool and its name, '' for what is none
-- Reply 1 created | 0 was there. Replay: 0.

local now = clock(take())
local w = { balance = takeNumber(), credit = takeNumber(), held = 0, base = 0, burn = 0, anchor = now, legs = 0,
  version = 1, policy = take(), amount = takeNumber(), endsAt = takeNumber(), opened = takeNumber(), serial = take() }
return redis.call('SET', KEYS[1], walletText(w), 'NX') and 1 or 0
