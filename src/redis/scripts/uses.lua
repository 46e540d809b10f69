-- Shared by the scripts that count: what a holder has in use, as text.
--
-- A holder's use:  "calls resourceConsuming inbound outbound public internal". A holder that counts nothing has no key.
-- A leg's moves:   a digit per counter, "110110": what it adds to each. Told once for a row of holders that it moves
--                  alike, for a chain of eight comes with every call.

local USE = '^(%d+) (%d+) (%d+) (%d+) (%d+) (%d+)$'
-- At half the price of concatenated numbers. Not for those from 2^31 on: some builds of Lua would write that instead.
local COUNTS = '%d %d %d %d %d %d'
local NOTHING = '0 0 0 0 0 0'
-- string.byte of the digit 0.
local ZERO = 48

local function readUse(text)
  local a, b, c, d, e, f = string.match(text, USE)
  if not a then broken('a use', text) end
  return a, b, c, d, e, f
end

-- Reads how many holders follow in a row, and the moves of each.
local function takeRow()
  local row, a, b, c, d, e, f = takeNumber(), string.byte(take(), 1, 6)
  return row, a - ZERO, b - ZERO, c - ZERO, d - ZERO, e - ZERO, f - ZERO
end
