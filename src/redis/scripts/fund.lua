-- fund: money comes or goes once by transfer id, or (id '') the allowed postpay, the policy or a cycle's amount change.
-- KEYS  1 wallet  2 parts  3 due  4 funded  5 stream
-- ARGV  clock, snapshots wished 0/1, account, transfer id or '', amount, credit or '' (as it is), policy or '' (as it is),
--       what each cycle is filled with or '' (as it is), the stream's entry where SQL does not know of it yet or '', mode and, when 'exact', an exact wallet
-- Reply {'moved', now, due} | {'already'} | {'no-wallet'} | {'exact', now, snapshots if wished}
-- Replay: the id is known, so the money does not move again.

-- SQL refuses an id for ever; here it is remembered for as long as a second half may still be missing (400 days).
local FUNDED_KEPT_MS = 400 * 86400000

local now, wished = clock(take()), take() == '1'
local account, id, amount, credit, policy, refill = take(), take(), takeNumber(), take(), take(), take()
local entry, mode = take(), take()
local exact = mode == 'exact' and takeExact() or nil
if id ~= '' and redis.call('ZSCORE', KEYS[4], id) then return { 'already' } end
local text = redis.call('GET', KEYS[1])
if not text then return { 'no-wallet' } end
local w = readWallet(text)
local due
if exact then
  if not exactHolds(exact, w, now) then return snapshot(wished, now, { account }, { KEYS[1] }, { KEYS[2] }) end
  due = saveExact(exact, KEYS[1], KEYS[2], KEYS[3], account)
else
  settleAnchor(w, now)
  -- Time must be proven paid up to now before money joins, or it would pay for pulses of the past.
  local before = withinFunds(w, 0)
  w.balance = w.balance + amount
  if w.opened then w.opened = w.opened + amount end
  if credit ~= '' then w.credit = tonumber(credit) end
  if policy ~= '' then w.policy = policy end
  if refill ~= '' and w.amount then w.balance, w.amount = w.balance + tonumber(refill) - w.amount, tonumber(refill) end
  if w.legs > 0 and not (before and withinFunds(w, 0)) then
    return snapshot(wished, now, { account }, { KEYS[1] }, { KEYS[2] })
  end
  due = saveWallet(KEYS[1], KEYS[3], account, w)
end
if w.opened then appendTransfer(KEYS[5], entry, w, amount, now) end
if id ~= '' then
  redis.call('ZADD', KEYS[4], now, id)
  redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', now - FUNDED_KEPT_MS)
end
return { 'moved', int(now), due }
