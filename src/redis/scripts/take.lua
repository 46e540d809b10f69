-- take: all of a leg's takes in one slot, or none.
-- KEYS  1 legs  2 slots  3 due  4 bound  5 answered, then per holder: use, ticks; then per hold: wallet, parts
-- ARGV  clock, snapshots wished 0/1, legKey, record ('' in a slot that is not home),
--       uuid of its channel or '' while it has none, membership text,
--       holders, per holder: counts, (index, bound or -1) each, perSecond or -1;
--       holds, per hold: account, amount, part text, mode and, when mode is 'exact', an exact wallet (see prelude)
-- Reply {'taken', now, (due, funds, availableAtLeast) per hold} | {'already', record or '', uuid or '', answeredAt or ''} |
--       {'count', now, holder, index, bound, use} | {'rate', now, holder, bound, use} |
--       {'no-wallet', account} | {'exact', now, snapshots if wished}: the bound cannot decide, or the exact wallet is stale.
-- Replay: the leg key is a member, so nothing is taken twice; the reply is 'already'.

-- Only tidies up after a holder that rests: a tick counts for a second.
local TICKS_KEPT_MS = 60000

local now, wished = clock(take()), take() == '1'
local legKey, record, channel, membership = take(), take(), take(), take()
local home = record ~= ''
local guard = home and KEYS[1] or KEYS[2]
local known = redis.call('HGET', guard, legKey)
if known then
  if not home then return { 'already', '', '', '' } end
  return { 'already', known, redis.call('HGET', KEYS[4], legKey) or '', redis.call('HGET', KEYS[5], legKey) or '' }
end

local key = 5
local uses, ticks = {}, {}
for holder = 1, takeNumber() do
  local useKey, tickKey = KEYS[key + 1], KEYS[key + 2]
  key = key + 2
  local use = uses[useKey] or readUse(redis.call('GET', useKey))
  for _ = 1, takeNumber() do
    local index, bound = takeNumber(), takeNumber()
    if bound >= 0 and use[index] >= bound then
      return { 'count', int(now), holder, index, bound, use[index] }
    end
    use[index] = use[index] + 1
  end
  local perSecond = takeNumber()
  if perSecond >= 0 then
    redis.call('ZREMRANGEBYSCORE', tickKey, '-inf', now - 1000)
    local recent = redis.call('ZCARD', tickKey)
    if recent >= perSecond then return { 'rate', int(now), holder, perSecond, recent } end
    ticks[#ticks + 1] = tickKey
  end
  uses[useKey] = use
end

local holds, accounts, walletKeys, partKeys, undecided = {}, {}, {}, {}, false
for i = 1, takeNumber() do
  local account, amount, part, mode = take(), takeNumber(), take(), take()
  local exact = mode == 'exact' and takeExact() or nil
  walletKeys[i], partKeys[i], accounts[i] = KEYS[key + 1], KEYS[key + 2], account
  key = key + 2
  local text = redis.call('GET', walletKeys[i])
  if not text then return { 'no-wallet', account } end
  local w = readWallet(text)
  if exact then
    if not exactHolds(exact, w, now) then undecided = true end
  else
    settleAnchor(w, now)
    if not withinFunds(w, amount) then undecided = true end
  end
  holds[i] = { w = w, amount = amount, part = part, exact = exact }
end
if undecided then return snapshot(wished, now, accounts, walletKeys, partKeys) end

local reply = { 'taken', int(now) }
for i, hold in ipairs(holds) do
  local w, due = hold.w, nil
  local funds = w.balance + w.credit
  if hold.exact then
    settleAnchor(w, now)
    due = saveExact(hold.exact, walletKeys[i], partKeys[i], KEYS[3], accounts[i])
  else
    w.held, w.legs = w.held + hold.amount, w.legs + 1
    due = saveWallet(walletKeys[i], KEYS[3], accounts[i], w)
    redis.call('HSET', partKeys[i], legKey, hold.part)
  end
  local available = funds - w.held - w.base + (hold.exact and 0 or hold.amount)
  reply[#reply + 1] = { due, int(funds), int(math.max(hold.amount, available)) }
end
for useKey, use in pairs(uses) do saveUse(useKey, use) end
for _, tickKey in ipairs(ticks) do
  redis.call('ZADD', tickKey, now, legKey)
  redis.call('PEXPIRE', tickKey, TICKS_KEPT_MS)
end
if home then redis.call('HSET', KEYS[1], legKey, record) end
if home and channel ~= '' then redis.call('HSET', KEYS[4], legKey, channel) end
redis.call('HSET', KEYS[2], legKey, membership)
return reply
