-- Shared by the scripts that know a leg's channel: "uuid answeredAt", "-" for what is not known yet. They come in any
-- order, from callers that may know one and not the other.

local UNKNOWN = '-'

local function readChannel(text)
  if not text then return UNKNOWN, UNKNOWN end
  local uuid, answeredAt = string.match(text, '^(%S+) (%S+)$')
  if not uuid then broken('a channel', text) end
  return uuid, answeredAt
end
