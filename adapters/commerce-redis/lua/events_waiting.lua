#!lua flags=allow-oom
-- The events that wait for a target. KEYS: how far targets have read, and the stream. ARGV: the target, and the most events.
-- Returns the position of the target, the last one, the number of events that were removed before they were read, and the events.
-- A new target begins at the end.
local info = redis.pcall('XINFO', 'STREAM', KEYS[2])
local last = 0
for at = 1, #info, 2 do
  if info[at] == 'last-generated-id' then
    last = tonumber(string.match(info[at + 1], '%-(%d+)$'))
  end
end
local function store(position)
  redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', position))
end
local position = tonumber(redis.call('HGET', KEYS[1], ARGV[1]))
if not position then
  position = last
  store(position)
end
if position > last then
  -- The stream was deleted, and begins anew.
  position = 0
  store(position)
end
local found = redis.call('XRANGE', KEYS[2], string.format('(0-%.0f', position), '+', 'COUNT', ARGV[2])
local next = found[1] and tonumber(string.match(found[1][1], '%-(%d+)$')) or last + 1
local lost = next - 1 - position
if lost > 0 then
  position = position + lost
  store(position)
end
return { position, last, lost, found }
