-- Takes one. KEYS: the counter. ARGV: interval and period in microseconds.
-- The counter is the instant at which the whole limit is there again. Returns 0, or the microseconds until one more is there.
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local free_at = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now) + ARGV[1]
local wait = free_at - now - ARGV[2]
if wait > 0 then
  return math.ceil(wait)
end
redis.call('SET', KEYS[1], string.format('%.0f', free_at), 'PX', math.max(1, math.ceil((free_at - now) / 1000)))
return 0
