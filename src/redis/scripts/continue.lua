-- continue: a running leg that was paid for by an allotment goes on by other wallets from a moment on.
-- KEYS  1 legs  2 due  3 deadlines  4 parts of the allotment  5 the allotment, then per wallet: wallet, parts
-- ARGV  clock, snapshots wished 0/1, legKey, part text in the allotment once passed, deadline or '',
--       record as the caller read it and as it is then ('' and '': it stays),
--       wallets, per wallet: account, part text once running, mode and, when 'exact', an exact wallet
-- Reply {'continued', now, due or '' per wallet} | {'already'} | {'gone'} | {'no-wallet', account} |
--       {'stale'} when the record is another by now | {'exact', now, snapshots if wished}
-- Replay: the part in the allotment has passed, so nothing changes and the reply is 'already'.

local now, wished = clock(take()), take() == '1'
local legKey, passed, deadline, expected, record = take(), take(), take(), take(), take()
local standing = redis.call('HGET', KEYS[1], legKey)
if not standing then return { 'gone' } end
local before = redis.call('HGET', KEYS[4], legKey)
if not before then return { 'gone' } end
if readLegPart(before).state ~= 'ended' then return { 'already' } end
if record ~= '' and standing ~= expected then return { 'stale' } end

local key, moves, accounts, walletKeys, partKeys, undecided = 5, {}, {}, {}, {}, false
local wallets = takeNumber()
for i = 1, wallets do
  local account, running, mode = take(), take(), take()
  local exact = mode == 'exact' and takeExact() or nil
  walletKeys[i], partKeys[i], accounts[i] = KEYS[key + 1], KEYS[key + 2], account
  key = key + 2
  local text = redis.call('GET', walletKeys[i])
  if not text then return { 'no-wallet', account } end
  local w, part = readWallet(text), readLegPart(running)
  if exact then
    if not exactHolds(exact, w, now) then undecided = true end
  else
    settleAnchor(w, now)
    w.legs, w.burn = w.legs + 1, w.burn + part.perMinute
    w.base = w.base + legBound(part, w.anchor, math.ceil)
    if not withinFunds(w, 0) then undecided = true end
  end
  moves[i] = { w = w, running = running, exact = exact }
end
if undecided then return snapshot(wished, now, accounts, walletKeys, partKeys) end

local reply = { 'continued', int(now) }
for i = 1, wallets do
  local move, due = moves[i], ''
  if move.exact then
    due = saveExact(move.exact, walletKeys[i], partKeys[i], KEYS[2], accounts[i])
  else
    redis.call('HSET', partKeys[i], legKey, move.running)
    due = saveWallet(walletKeys[i], KEYS[2], accounts[i], move.w)
  end
  reply[#reply + 1] = due
end
redis.call('HSET', KEYS[4], legKey, passed)
-- Whoever has read the allotment before must not take the leg for one that is to be ended.
local allotment = redis.call('GET', KEYS[5])
if allotment then
  local w = readWallet(allotment)
  w.version = w.version + 1
  redis.call('SET', KEYS[5], walletText(w))
end
if record ~= '' then redis.call('HSET', KEYS[1], legKey, record) end
if deadline ~= '' then redis.call('ZADD', KEYS[3], 'LT', deadline, legKey) end
return reply
