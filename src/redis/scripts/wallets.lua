-- Shared by the scripts that move money: wallets as text.
--
-- A wallet:        "balance credit held base burn anchor legs version policy"; amounts in micros, anchor in ms.
--                  At any time t >= anchor the commitments are at most held + base + burn * (t - anchor) / 60000.
--                  policy is 0 (unpaid) or 1 (all). version grows with every change.
--                  An allotment or a spend window has " amount endsAt" behind: what it was filled with, and when it
--                  is filled anew. From then on only the caller can tell what is left.
--                  A customer's pool has " opened amount serial" behind: all that ever came in, and a name of its own.
--                  Without legs it is not there.
-- A leg's part:    "state amount intercept perMinute answeredAt paidSeconds endsAt terms"; state is held, running,
--                  ended or passed. " usedBefore forced" stands behind where there is anything to say.
-- Money is never priced here: every amount but the bound above was worked out by the caller (ruling 6).

local MS_PER_MINUTE = 60000
-- Rounding of the bound drifts by at most 2 micros a change; after so many changes the caller rebuilds it.
local CHANGES_BETWEEN_REBUILDS = 100000

local WALLET = '^(%-?%d+) (%d+) (%d+) (%-?%d+) (%d+) (%d+) (%d+) (%d+) ([01])(.*)$'
local CYCLE = '^ (%d+) (%d+)$'
local OPENED = '^ opened (%d+) (%S+)$'

local function readWallet(text)
  local balance, credit, held, base, burn, anchor, legs, version, policy, rest = string.match(text, WALLET)
  if not balance then broken('a wallet', text) end
  local amount, endsAt, opened, serial
  if rest ~= '' then
    amount, endsAt = string.match(rest, CYCLE)
    opened, serial = string.match(rest, OPENED)
    if not (amount or opened) then broken('a wallet', text) end
  end
  return {
    balance = tonumber(balance), credit = tonumber(credit), held = tonumber(held), base = tonumber(base),
    burn = tonumber(burn), anchor = tonumber(anchor), legs = tonumber(legs), version = tonumber(version),
    policy = policy, amount = tonumber(amount), endsAt = tonumber(endsAt), opened = tonumber(opened), serial = serial,
  }
end

local function walletText(w)
  local text = string.format('%.0f %.0f %.0f %.0f %.0f %.0f %.0f %.0f %s',
    w.balance, w.credit, w.held, w.base, w.burn, w.anchor, w.legs, w.version, w.policy)
  if w.endsAt then text = text .. string.format(' %.0f %.0f', w.amount, w.endsAt) end
  if w.opened then text = text .. string.format(' opened %.0f %s', w.opened, w.serial) end
  return text
end

-- A customer's pool that was lost: "balance opened serial", of the books.
local function readLost(text)
  local balance, opened, serial = string.match(text, '^(%d+) (%d+) (%S+)$')
  if not balance then broken('a lost pool', text) end
  return tonumber(balance), tonumber(opened), serial
end

-- Moves the anchor to now. Rounded up, so that the bound stays a bound.
local function settleAnchor(w, now)
  if now > w.anchor then
    if w.burn > 0 then w.base = w.base + math.ceil(w.burn * (now - w.anchor) / MS_PER_MINUTE) end
    w.anchor = now
  end
end

-- True when the bound proves that no pulse begun by the anchor went unpaid, with `extra` on top of all commitments.
local function withinFunds(w, extra)
  if w.endsAt and w.anchor >= w.endsAt then return false end
  return w.held + w.base + extra <= w.balance + w.credit and w.version % CHANGES_BETWEEN_REBUILDS ~= 0
end

-- The earliest moment at which a pulse might not be paid: a lower bound of the cutoff, and no later than a new cycle.
local function dueOf(w)
  if w.burn <= 0 then return nil end
  local room = w.balance + w.credit - w.held - w.base
  if room <= 0 then return w.anchor end
  local due = w.anchor + math.floor(room * MS_PER_MINUTE / w.burn)
  return w.endsAt and math.min(due, w.endsAt) or due
end

local function setDue(dueKey, account, due)
  if due then redis.call('ZADD', dueKey, int(due), account) else redis.call('ZREM', dueKey, account) end
end

local function saveWallet(key, dueKey, account, w)
  if w.legs <= 0 then
    w.legs, w.held, w.base, w.burn = 0, 0, 0, 0
  end
  w.version = w.version + 1
  redis.call('SET', key, walletText(w))
  local due = dueOf(w)
  if w.legs > 0 then
    -- A due time that has passed stays until somebody has looked: a leg may have ended and not been told yet.
    local standing = tonumber(redis.call('ZSCORE', dueKey, account) or '')
    if standing and standing <= w.anchor then due = math.min(due or standing, standing) end
  end
  setDue(dueKey, account, due)
  return due and int(due) or ''
end

-- Money that comes into a customer's pool or leaves it is on its way into SQL with the step that moves it. The entry is
-- the caller's, but for what only the step knows; '' where there are no books, because the pool is one of seconds.
local function appendTransfer(stream, entry, w, amount, now)
  if entry == '' or amount <= 0 then return end
  local known = { serial = w.serial, opened = int(w.opened), amount = int(amount), at = int(now) }
  local text = string.gsub(entry, '%$(%a+)', known)
  redis.call('XADD', stream, '*', 'transfer', text)
end

local PART = '^(%a+) (%d+) (%-?%d+) (%d+) (%d+) (%d+) (%d+) (%S+)(.*)$'

local function readLegPart(text)
  local state, amount, intercept, perMinute, answeredAt, _, _, _, rest = string.match(text, PART)
  if not state or not (rest == '' or string.match(rest, '^ %d+ [01]$')) then broken("a leg's part", text) end
  return {
    state = state, amount = tonumber(amount), intercept = tonumber(intercept), perMinute = tonumber(perMinute),
    answeredAt = tonumber(answeredAt), usedBefore = tonumber(string.match(rest, '^ (%d+)') or 0),
    forced = string.sub(rest, -1) == '1',
  }
end

-- What a running leg adds to the bound at the anchor, rounded up when it joins and down when it leaves. The anchor
-- is not always now: a clock that stepped back is behind it.
local function legBound(part, anchor, round)
  return part.intercept + round(part.perMinute * math.max(0, anchor - part.answeredAt) / MS_PER_MINUTE)
end

-- Everything the caller needs to decide exactly: now, and each wallet with all its legs; '' where there is none.
-- Without the wish only the word: of a thousand that ask at once, all but one would get a thousand legs for nothing.
-- `instead`: what stands for one that is not there.
local function snapshot(wished, now, accounts, walletKeys, partKeys, instead)
  local reply = { 'exact', int(now) }
  if not wished then return reply end
  for i, account in ipairs(accounts) do
    local text = redis.call('GET', walletKeys[i]) or instead and instead[i]
    if text then readWallet(text) end
    reply[#reply + 1] = { account, text or '', redis.call('HGETALL', partKeys[i]) }
  end
  return reply
end

-- An exact wallet, worked out by the caller from a snapshot: written only if nothing changed since and no pulse
-- that the caller did not foresee has begun. Returns nil when it is stale.
local function takeExact()
  local exact = { version = takeNumber(), validUntil = takeNumber(), text = take(), due = take(), parts = {} }
  for i = 1, takeNumber() do exact.parts[i] = { take(), take() } end
  return exact
end

local function exactHolds(exact, w, now) return w.version == exact.version and now < exact.validUntil end

local function saveExact(exact, key, partsKey, dueKey, account)
  redis.call('SET', key, exact.text)
  for _, part in ipairs(exact.parts) do
    if part[2] == '' then redis.call('HDEL', partsKey, part[1]) else redis.call('HSET', partsKey, part[1], part[2]) end
  end
  setDue(dueKey, account, exact.due ~= '' and tonumber(exact.due) or nil)
  return exact.due
end
