-- Shared by the scripts that give back what a leg has taken of its holders.

-- ARGV  holders, then for each row of them: how many, moves
-- KEYS  from `first` on: use per holder
-- Returns what is to be saved, and the key behind.
local function takeBack(first)
  local holders = takeNumber()
  local saves, rests, nextKey = {}, {}, first + holders
  if holders == 0 then return { saves = saves, rests = rests }, nextKey end
  local uses = redis.call('MGET', unpack(KEYS, first, nextKey - 1))
  local row, p, q, r, s, t, u = 0
  local max = math.max
  for holder = 1, holders do
    if row == 0 then row, p, q, r, s, t, u = takeRow() end
    row = row - 1
    local a, b, c, d, e, f = readUse(uses[holder] or NOTHING)
    local left = string.format(COUNTS,
      max(0, a - p), max(0, b - q), max(0, c - r), max(0, d - s), max(0, e - t), max(0, f - u))
    local key = KEYS[first + holder - 1]
    if left == NOTHING then
      rests[#rests + 1] = key
    else
      saves[#saves + 1], saves[#saves + 2] = key, left
    end
  end
  return { saves = saves, rests = rests }, nextKey
end

local function saveBack(back)
  if #back.saves > 0 then redis.call('MSET', unpack(back.saves)) end
  if #back.rests > 0 then redis.call('DEL', unpack(back.rests)) end
end

-- Of a leg that was refused elsewhere: KEYS from `first` on are the ticks that it leaves.
local function dropTicks(first, legKey)
  for key = first, #KEYS do redis.call('ZREM', KEYS[key], legKey) end
end
