-- Shared by every script: the clock, and its arguments. Prepended when the scripts are loaded; behind it come uses,
-- counts, returns and wallets, where a script is of these.
--
-- Every script reads all it needs before it writes: a text that does not parse stops it with nothing changed.

local function clock(override)
  if override ~= '' then return tonumber(override) end
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function int(number) return string.format('%.0f', number) end

local function broken(what, text) error(what .. ' reads "' .. tostring(text) .. '"', 0) end

-- Reads ARGV one after the other.
local cursor, ARGV = 0, ARGV
local function take()
  cursor = cursor + 1
  return ARGV[cursor]
end
local function takeNumber() return tonumber(take()) end
