-- close: the leg leaves its slot. Settles it (an entry for the stream, a price per payer), or gives back a leg
-- that never ran (no entry, prices 0), or frees a slot that is not home.
-- KEYS  1 legs  2 slots  3 bound  4 due  5 stream, then per holder: use, ticks; then per payer: wallet, parts
-- ARGV  clock, legKey, entry or '', drop ticks 0/1, home 0/1, holders, per holder: counters, index each;
--       payers, per payer: account, price, part text as the caller read it, mode and, when 'exact', an exact wallet
-- Reply {'closed', now, due per payer} | {'already'} | {'stale'}: a part has changed since it was read |
--       {'exact', now, snapshots}
-- Replay: the leg is no member any more, so neither money nor counters move and nothing is appended.

local now = clock(take())
local legKey, entry, dropTicks, home = take(), take(), take() == '1', take() == '1'
if home and redis.call('HEXISTS', KEYS[1], legKey) == 0 then return { 'already' } end

local key, firstHolder = 5, cursor
for _ = 1, takeNumber() do
  key = key + 2
  for _ = 1, takeNumber() do take() end
end
local moves, accounts, walletKeys, partKeys, undecided = {}, {}, {}, {}, false
for i = 1, takeNumber() do
  local account, price, expected, mode = take(), takeNumber(), take(), take()
  local exact = mode == 'exact' and takeExact() or nil
  walletKeys[i], partKeys[i], accounts[i] = KEYS[key + 1], KEYS[key + 2], account
  key = key + 2
  local text, partText = redis.call('GET', walletKeys[i]), redis.call('HGET', partKeys[i], legKey)
  if (partText or '') ~= expected then return { 'stale' } end
  if text and partText then
    local w, part = readWallet(text), readLegPart(partText)
    if exact then
      if not exactHolds(exact, w, now) then undecided = true end
    else
      settleAnchor(w, now)
      -- The old commitments must be proven paid before one of them is replaced by its price.
      if not withinFunds(w, 0) then undecided = true end
      local committed
      if part.state == 'held' then
        w.held, committed = w.held - part.amount, part.amount
      elseif part.state == 'running' then
        committed = legBound(part, now, math.floor)
        w.burn, w.base = w.burn - part.perMinute, w.base - committed
      else
        w.base, committed = w.base - part.amount, part.amount
      end
      if price > committed then undecided = true end
      w.balance, w.legs = w.balance - price, w.legs - 1
    end
    moves[#moves + 1] = { i = i, w = w, exact = exact }
  end
end
if undecided then return snapshot('exact', now, accounts, walletKeys, partKeys) end

local reply = { 'closed', int(now) }
for _, move in ipairs(moves) do
  local i = move.i
  if move.exact then
    reply[#reply + 1] = saveExact(move.exact, walletKeys[i], partKeys[i], KEYS[4], accounts[i])
  else
    redis.call('HDEL', partKeys[i], legKey)
    reply[#reply + 1] = saveWallet(walletKeys[i], KEYS[4], accounts[i], move.w)
  end
end
local counted = redis.call('HDEL', KEYS[2], legKey) == 1
cursor, key = firstHolder, 5
for _ = 1, takeNumber() do
  if counted then uncount(KEYS[key + 1], takeNumber()) else for _ = 1, takeNumber() do take() end end
  if dropTicks then redis.call('ZREM', KEYS[key + 2], legKey) end
  key = key + 2
end
if home then
  redis.call('HDEL', KEYS[1], legKey)
  redis.call('HDEL', KEYS[3], legKey)
end
if entry ~= '' then redis.call('XADD', KEYS[5], '*', 'settlement', entry) end
return reply
