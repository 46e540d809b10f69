-- lost: what the books say is left of customers' pools that are not here. Said once in the life of this Redis: what was
-- said is then opened again at most once, whoever asks, and what is not among it was closed or is new.
-- KEYS  1 lost, then per pool: wallet
-- ARGV  clock; pools, per pool: account, "balance opened serial"
-- Reply 1 said | 0 was said before. Replay: 0.

local now = clock(take())
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local said = {}
for i = 1, takeNumber() do
  local account, text = take(), take()
  readLost(text)
  if redis.call('EXISTS', KEYS[i + 1]) == 0 then said[#said + 1] = { account, text } end
end
redis.call('HSET', KEYS[1], 'asked', int(now))
for _, each in ipairs(said) do redis.call('HSET', KEYS[1], each[1], each[2]) end
return 1
