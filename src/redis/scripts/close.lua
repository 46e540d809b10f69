-- close: the leg leaves its home slot. Settles it (an entry for the stream, a price per payer), or gives back a leg
-- that never ran (no entry, prices 0).
-- KEYS  1 legs  2 slots  3 channels  4 due  5 stream  6 deadlines, then per payer: wallet, parts; then per
--       holder: use; then the ticks that it leaves
-- ARGV  clock, snapshots wished 0/1, legKey, entry or '';
--       payers, per payer: account, price, part text as the caller read it, charged without a part 0/1, the stream's entry
--       for what is left in a customer's pool or '',
--       mode ('ask' where the bound cannot say what it costs) and, when 'exact', an exact wallet; holders (see counts)
-- Reply {'closed', now, due or '' per payer} | {'already'} | {'stale'}: a part has changed since it was read |
--       {'no-wallet', account} |
--       {'exact', now, snapshots if wished}
-- Replay: the leg is no member any more, so neither money nor counters move and nothing is appended.

local now, wished = clock(take()), take() == '1'
local legKey, entry = take(), take()
if redis.call('HEXISTS', KEYS[1], legKey) == 0 then return { 'already' } end

local key = 6
local moves, entries, accounts, walletKeys, partKeys, undecided = {}, {}, {}, {}, {}, false
local payers = takeNumber()
for i = 1, payers do
  local account, price, expected, soft = take(), takeNumber(), take(), take() == '1'
  entries[i] = take()
  local mode = take()
  local exact = mode == 'exact' and takeExact() or nil
  walletKeys[i], partKeys[i], accounts[i] = KEYS[key + 1], KEYS[key + 2], account
  key = key + 2
  local text, partText = redis.call('GET', walletKeys[i]), redis.call('HGET', partKeys[i], legKey)
  if (partText or '') ~= expected then return { 'stale' } end
  if mode == 'ask' then
    if not text then return { 'no-wallet', account } end
    undecided = true
  end
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
        committed = legBound(part, w.anchor, math.floor)
        w.burn, w.base = w.burn - part.perMinute, w.base - committed
      else
        w.base, committed = w.base - part.amount, part.amount
      end
      if price > committed then undecided = true end
      w.balance, w.legs = w.balance - price, w.legs - 1
    end
    moves[i] = { w = w, exact = exact }
  elseif soft and price > 0 then
    if not text then return { 'no-wallet', account } end
    local w = readWallet(text)
    if exact then
      if not exactHolds(exact, w, now) then undecided = true end
    else
      settleAnchor(w, now)
      -- As with money that is taken away: what began by now was paid before, and what is left must pay for the rest.
      local before = withinFunds(w, 0)
      w.balance = w.balance - price
      if w.legs > 0 and not (before and withinFunds(w, 0)) then undecided = true end
    end
    moves[i] = { w = w, exact = exact }
  end
end
if undecided then return snapshot(wished, now, accounts, walletKeys, partKeys) end
local back, ticks = takeBack(key + 1)

-- The last leg of a customer's pool takes it away, and what is left goes back to where it came from.
local function closePool(i, w)
  if not w.opened or w.legs > 0 then return false end
  redis.call('DEL', walletKeys[i], partKeys[i])
  setDue(KEYS[4], accounts[i], nil)
  appendTransfer(KEYS[5], entries[i], w, w.balance, now)
  return true
end

local reply = { 'closed', int(now) }
for i = 1, payers do
  local move, due = moves[i], ''
  if move and move.exact then
    due = saveExact(move.exact, walletKeys[i], partKeys[i], KEYS[4], accounts[i])
    if closePool(i, readWallet(move.exact.text)) then due = '' end
  elseif move then
    redis.call('HDEL', partKeys[i], legKey)
    due = saveWallet(walletKeys[i], KEYS[4], accounts[i], move.w)
    if closePool(i, move.w) then due = '' end
  end
  reply[#reply + 1] = due
end
if redis.call('HDEL', KEYS[2], legKey) == 1 then saveBack(back) end
dropTicks(ticks, legKey)
redis.call('HDEL', KEYS[1], legKey)
redis.call('HDEL', KEYS[3], legKey)
redis.call('ZREM', KEYS[6], legKey)
if entry ~= '' then redis.call('XADD', KEYS[5], '*', 'settlement', entry) end
return reply
