#!lua flags=allow-oom
-- A target has read events. KEYS: how far targets have read, and the stream. ARGV: the target, and the position; '' to forget the target.
-- Removes the events that every target has read.
if ARGV[2] == '' then
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  local before = tonumber(redis.call('HGET', KEYS[1], ARGV[1]))
  if before and before < tonumber(ARGV[2]) then
    redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  end
end
local least
for _, position in ipairs(redis.call('HVALS', KEYS[1])) do
  least = math.min(least or tonumber(position), tonumber(position))
end
if least then
  redis.call('XTRIM', KEYS[2], 'MINID', string.format('0-%.0f', least + 1))
else
  redis.call('XTRIM', KEYS[2], 'MAXLEN', 0)
end
