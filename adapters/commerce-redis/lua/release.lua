-- Returns one. KEYS: the counter. ARGV: the interval in microseconds.
local found = redis.call('GET', KEYS[1])
if not found then
  return
end
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local free_at = found - ARGV[1]
if free_at <= now then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], string.format('%.0f', free_at), 'PX', math.max(1, math.ceil((free_at - now) / 1000)))
end
