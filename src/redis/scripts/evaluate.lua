-- evaluate: reads a wallet whole, or writes back what the caller worked out from such a reading.
-- KEYS  1 wallet  2 parts  3 due
-- ARGV  clock, account, mode: 'read' | 'exact', and when 'exact' an exact wallet
-- Reply {'exact', now, snapshot} (also when the exact wallet was stale) | {'written', now}

local now = clock(take())
local account, mode = take(), take()
if mode == 'exact' then
  local exact, text = takeExact(), redis.call('GET', KEYS[1])
  if text and exactHolds(exact, readWallet(text), now) then
    saveExact(exact, KEYS[1], KEYS[2], KEYS[3], account)
    return { 'written', int(now) }
  end
end
return snapshot(true, now, { account }, { KEYS[1] }, { KEYS[2] })
