-- answer: the leg was answered; each payer's hold becomes the first pulse's commitment.
-- KEYS  1 legs  2 due  3 channels  4 deadlines, then per payer: wallet, parts
-- ARGV  clock, snapshots wished 0/1, legKey, answeredAt, deadline or '', payers, per payer: account, part text once running,
--       mode and, when 'exact', an exact wallet
-- Reply {'running', now, due or '' per payer} | {'already'} | {'gone'} | {'exact', now, snapshots if wished}
-- Replay: no part is held any more and the first answer is kept, so nothing changes and the reply is 'already'.

local now, wished = clock(take()), take() == '1'
local legKey, answeredAt, deadline = take(), take(), take()
if redis.call('HEXISTS', KEYS[1], legKey) == 0 then return { 'gone' } end

local uuid, known = readChannel(redis.call('HGET', KEYS[3], legKey))

local function noteAnswer()
  if known ~= UNKNOWN then return false end
  redis.call('HSET', KEYS[3], legKey, uuid .. ' ' .. answeredAt)
  if deadline ~= '' then redis.call('ZADD', KEYS[4], deadline, legKey) end
  return true
end

local key, moves, accounts, walletKeys, partKeys = 4, {}, {}, {}, {}
local undecided, heldParts, payers = false, 0, takeNumber()
for i = 1, payers do
  local account, running, mode = take(), take(), take()
  local exact = mode == 'exact' and takeExact() or nil
  walletKeys[i], partKeys[i], accounts[i] = KEYS[key + 1], KEYS[key + 2], account
  key = key + 2
  local text, partText = redis.call('GET', walletKeys[i]), redis.call('HGET', partKeys[i], legKey)
  if text and partText then
    local w, part = readWallet(text), readLegPart(partText)
    if part.state == 'held' then
      heldParts = heldParts + 1
      if exact then
        if not exactHolds(exact, w, now) then undecided = true end
      else
        local after = readLegPart(running)
        settleAnchor(w, now)
        w.held = w.held - part.amount
        w.burn = w.burn + after.perMinute
        w.base = w.base + legBound(after, w.anchor, math.ceil)
        if not withinFunds(w, 0) then undecided = true end
      end
      moves[i] = { w = w, running = running, exact = exact }
    end
  end
end
if heldParts == 0 then
  -- A leg nobody pays for still remembers when it was answered.
  if noteAnswer() then return { 'running', int(now) } end
  return { 'already' }
end
if undecided then return snapshot(wished, now, accounts, walletKeys, partKeys) end

local reply = { 'running', int(now) }
for i = 1, payers do
  local move, due = moves[i], ''
  if move and move.exact then
    due = saveExact(move.exact, walletKeys[i], partKeys[i], KEYS[2], accounts[i])
  elseif move then
    redis.call('HSET', partKeys[i], legKey, move.running)
    due = saveWallet(walletKeys[i], KEYS[2], accounts[i], move.w)
  end
  reply[#reply + 1] = due
end
noteAnswer()
return reply
