-- Shared by the scripts that take: room for one more with each holder of a leg, root first.

-- A bound behind those of the six counters: admissions of the last second.
local RATE = 7
-- Only tidies up after a holder that rests: a tick counts for a second.
local TICKS_KEPT_MS = 60000

-- ARGV  holders, then for each row of them: how many, moves, and per holder: the counters that have a bound, a digit
--       each, then those bounds; -1 of a rate: only counted
-- KEYS  from `first` on: use per holder, then the ticks of those that have a rate
-- Returns the holders' uses before, what is to be saved (key and text in turn), and the ticks to be saved; or nil and
-- the reply of a refusal, by the first holder that has no room.
local function takeHolders(now, first)
  local holders = takeNumber()
  local saves, ticks = {}, {}
  if holders == 0 then return {}, saves, ticks end
  local uses = redis.call('MGET', unpack(KEYS, first, first + holders - 1))
  local byte, format, saved, row, p, q, r, s, t, u = string.byte, string.format, 0, 0
  for holder = 1, holders do
    if row == 0 then row, p, q, r, s, t, u = takeRow() end
    row = row - 1
    local before = uses[holder] or NOTHING
    uses[holder] = before
    local a, b, c, d, e, f = readUse(before)
    local bounded = take()
    for at = 1, #bounded do
      local index, bound, used = byte(bounded, at) - ZERO, takeNumber(), nil
      if index == RATE then
        local tickKey = KEYS[first + holders + #ticks]
        redis.call('ZREMRANGEBYSCORE', tickKey, '-inf', now - 1000)
        used = redis.call('ZCARD', tickKey)
        ticks[#ticks + 1] = tickKey
        uses[holder] = before .. '/' .. used
      else
        used = tonumber((select(index, a, b, c, d, e, f)))
      end
      if used >= bound and bound >= 0 then
        return nil, { 'full', table.concat(uses, ';', 1, holder), holder, index, bound, used }
      end
    end
    local after = format(COUNTS, a + p, b + q, c + r, d + s, e + t, f + u)
    if after ~= before then
      saves[saved + 1], saves[saved + 2], saved = KEYS[first + holder - 1], after, saved + 2
    end
  end
  return uses, saves, ticks
end

local function saveHolders(saves, ticks, legKey, now)
  if #saves > 0 then redis.call('MSET', unpack(saves)) end
  for _, tickKey in ipairs(ticks) do
    redis.call('ZADD', tickKey, now, legKey)
    redis.call('PEXPIRE', tickKey, TICKS_KEPT_MS)
  end
end
