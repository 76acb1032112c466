-- Marks a cart. KEYS: the cart, and when carts are due. ARGV: the id, the expected version, the token of the mark, and its time in milliseconds.
local version, token = unpack(redis.call('HMGET', KEYS[1], 'version', 'token'))
if (version or '0') ~= ARGV[2] then
  return { 'conflict', version or '0' }
end
if token then
  return { 'busy' }
end
local clock = redis.call('TIME')
local ends = string.format('%.0f', clock[1] * 1000 + math.floor(clock[2] / 1000) + ARGV[4])
redis.call('HSET', KEYS[1], 'token', ARGV[3], 'ends', ends)
redis.call('ZADD', KEYS[2], ends, ARGV[1])
return { 'done' }
