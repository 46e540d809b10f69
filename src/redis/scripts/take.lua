-- take: all of a leg's takes in its home slot, or none.
-- KEYS  1 legs  2 slots  3 due  4 channels  5 stream  6 lost, then per holder: use; then per holder whose admissions are
--       counted: ticks; then per hold: wallet, parts; then per option of a payer: wallet, parts of each hold, or the use of
--       its trunks
-- ARGV  clock, snapshots wished 0/1, legKey, record, uuid of its channel or '' while it has none, membership text,
--       holders (see counts);
--       holds, per hold: account, amount, part text, what a customer's pool is to be opened with or '' and the stream's
--       entry for it or '', mode and, when mode is 'exact', an exact wallet (see wallets);
--       payers with several ways, per payer: options, per option: 'holds', 'trunk' or 'free', what the record says
--       of it, what the membership says of it, then holds, 1 where one of their wallets is known to be short, and each
--       as above, or a trunk: index, inbound or -1, outbound or -1, shared or -1
-- Reply {'taken', now, {option taken, from 1, per payer}, uses, trunks, (due, funds, availableAtLeast, balance) per hold taken} |
--       {'already', record, channel} |
--       {'full', uses, holder, index of the bound, bound, use} |
--       {'unfunded', uses, payer, calls in, calls out on its trunks} | {'no-wallet', account} |
--       {'unasked', account}: a customer's money is not there, and the books were not asked whether it was lost |
--       {'undecided', uses, {'exact', now, snapshots if wished}}: the bound cannot decide, or the exact wallet is stale.
--       uses: per holder, up to the one that refuses: its use before this leg, '/' and its admissions of the last second
--       where they are counted, and ';'. trunks: per payer with several ways: calls in and out on its trunks before, and ';'.
-- Replay: the leg key is a member, so nothing is taken twice; the reply is 'already'.

local now, wished = clock(take()), take() == '1'
local legKey, record, channel, membership = take(), take(), take(), take()
local known = redis.call('HGET', KEYS[1], legKey)
if known then
  return { 'already', known, redis.call('HGET', KEYS[4], legKey) or '- -' }
end

local uses, saves, ticks = takeHolders(now, 7)
if not uses then return saves end
local key = 6 + #uses + #ticks

-- A pool that is not there: a new one, or what is left of one that was lost. Its versions count from now on, so that
-- nobody takes it for an older one.
local function newPool(version, left)
  local w = { balance = 0, credit = 0, held = 0, base = 0, burn = 0, anchor = now, legs = 0, version = version,
    policy = '1', opened = 0, serial = legKey .. '@' .. int(now) }
  if left then w.balance, w.opened, w.serial = readLost(left) end
  return w
end

local holds, accounts, walletKeys, partKeys, undecided = {}, {}, {}, {}, false
local lost, missing = {}, nil

-- Reads the next hold, and takes it if it is wanted. One that is only looked at is known to be short: whoever decides
-- anew must know that of it still.
local function takeHold(wanted, looked)
  local account, amount, part, opening, entry, mode = take(), takeNumber(), take(), takeNumber(), take(), take()
  local exact = mode == 'exact' and takeExact() or nil
  local walletKey, partsKey = KEYS[key + 1], KEYS[key + 2]
  key = key + 2
  if not (wanted or looked) then return end
  local read = #accounts + 1
  walletKeys[read], partKeys[read], accounts[read] = walletKey, partsKey, account
  if not wanted then return end
  local text, left = redis.call('GET', walletKey), nil
  if not text and not opening then
    missing = missing or { 'no-wallet', account }
    return
  end
  if not text and entry ~= '' then
    if redis.call('EXISTS', KEYS[6]) == 0 then
      missing = missing or { 'unasked', account }
      return
    end
    left = redis.call('HGET', KEYS[6], account)
    if left then lost[read] = walletText(newPool(1, left)) end
  end
  local w = text and readWallet(text) or newPool(exact and (left and 1 or 0) or now, left)
  local opened = w.opened
  if exact then
    if not exactHolds(exact, w, now) then undecided = true end
  else
    settleAnchor(w, now)
    if opening and opening > w.opened then
      -- Time must be proven paid up to now before money joins, or it would pay for pulses of the past.
      if not withinFunds(w, 0) then undecided = true end
      w.balance, w.opened = w.balance + opening - w.opened, opening
    end
    -- What is only counted there is never refused; but nothing may be unpaid by now.
    local forced = string.sub(part, -2) == ' 1'
    if not withinFunds(w, forced and 0 or amount) then undecided = true end
  end
  holds[#holds + 1] = { w = w, amount = amount, part = part, exact = exact, opened = opened, entry = entry, left = left,
    account = account, walletKey = walletKey, partsKey = partsKey }
end

-- All holds of one way, or none where one of their wallets is known to be short of it.
local function takeHolds(wanted)
  local count, short = takeNumber(), take() == '1'
  local taken = wanted and not short
  for _ = 1, count do takeHold(taken, wanted) end
  return taken
end

-- Reads the next trunk, and takes it if it is wanted. Returns also the calls in and out that are on trunks already.
local function takeTrunk(wanted)
  local useKey = KEYS[key + 1]
  key = key + 1
  local index, inbound, outbound, shared = takeNumber(), takeNumber(), takeNumber(), takeNumber()
  if not wanted then return false end
  local use = { readUse(redis.call('GET', useKey) or NOTHING) }
  local before = { use[3], use[4] }
  use[index] = use[index] + 1
  local left = 0
  if inbound >= 0 then left = left + math.max(0, use[3] - inbound) end
  if outbound >= 0 then left = left + math.max(0, use[4] - outbound) end
  if shared >= 0 and left > shared then return false, before end
  saves[#saves + 1], saves[#saves + 2] = useKey, string.format(COUNTS, unpack(use))
  return true, before
end

for _ = 1, takeNumber() do
  takeHold(true)
  if missing then return missing end
end

-- What the caller is to decide from; where it refuses, it says what was in use.
local function unsure()
  return { 'undecided', table.concat(uses, ';'), snapshot(wished, now, accounts, walletKeys, partKeys, lost) }
end

-- Of each payer the first of its ways that can be taken; without one nothing is.
local chosen, parts, onTrunks = {}, {}, {}
for payer = 1, takeNumber() do
  local trunks
  for option = 1, takeNumber() do
    local kind, part, member = take(), take(), take()
    local wanted, taken, full = chosen[payer] == nil, true, nil
    if kind == 'holds' then
      taken = takeHolds(wanted)
    elseif kind == 'trunk' then
      taken, full = takeTrunk(wanted)
    end
    trunks = trunks or full
    if wanted and taken then
      chosen[payer] = option
      if part ~= '' then parts[#parts + 1] = part end
      membership = membership .. member
    end
  end
  if missing then return missing end
  if not chosen[payer] then
    if undecided then return unsure() end
    return { 'unfunded', table.concat(uses, ';'), payer, trunks and trunks[1] or 0, trunks and trunks[2] or 0 }
  end
  onTrunks[payer] = trunks and trunks[1] .. ' ' .. trunks[2] or ''
end
if undecided then return unsure() end
if #chosen > 0 then
  record = string.sub(record, 1, -2) .. ',"funded":[' .. table.concat(parts, ',') .. ']}'
end

local reply = { 'taken', int(now), chosen, table.concat(uses, ';'), table.concat(onTrunks, ';') }
for _, hold in ipairs(holds) do
  local w, due = hold.w, nil
  if hold.exact then
    w = readWallet(hold.exact.text)
    due = saveExact(hold.exact, hold.walletKey, hold.partsKey, KEYS[3], hold.account)
  else
    w.held, w.legs = w.held + hold.amount, w.legs + 1
    due = saveWallet(hold.walletKey, KEYS[3], hold.account, w)
    redis.call('HSET', hold.partsKey, legKey, hold.part)
  end
  if hold.left then redis.call('HDEL', KEYS[6], hold.account) end
  if hold.opened then appendTransfer(KEYS[5], hold.entry, w, w.opened - hold.opened, now) end
  local funds = w.balance + w.credit
  local available = funds - w.held - w.base + hold.amount
  reply[#reply + 1] = { due, int(funds), int(math.max(hold.amount, available)), int(w.balance) }
end
saveHolders(saves, ticks, legKey, now)
redis.call('HSET', KEYS[1], legKey, record)
if channel ~= '' then redis.call('HSET', KEYS[4], legKey, channel .. ' -') end
redis.call('HSET', KEYS[2], legKey, membership)
return reply
