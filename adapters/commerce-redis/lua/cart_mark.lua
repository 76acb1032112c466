-- Marks a cart. KEYS: the cart. ARGV: the expected version, the token of the mark, and its time in milliseconds.
local version, ends = unpack(redis.call('HMGET', KEYS[1], 'version', 'ends'))
local clock = redis.call('TIME')
local now = clock[1] * 1000 + clock[2] / 1000
if (version or '0') ~= ARGV[1] then
  return { 'conflict', version or '0' }
end
if ends and tonumber(ends) > now then
  return { 'busy' }
end
redis.call('HSET', KEYS[1], 'token', ARGV[2], 'ends', string.format('%.0f', now + ARGV[3]))
return { 'done' }
