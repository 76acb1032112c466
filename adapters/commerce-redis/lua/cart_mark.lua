-- Marks a cart. KEYS: the cart. ARGV: the expected version, the token of the mark, and its time in milliseconds.
local version, token = unpack(redis.call('HMGET', KEYS[1], 'version', 'token'))
if (version or '0') ~= ARGV[1] then
  return { 'conflict', version or '0' }
end
if token then
  return { 'busy' }
end
local clock = redis.call('TIME')
local ends = clock[1] * 1000 + math.floor(clock[2] / 1000) + ARGV[3]
redis.call('HSET', KEYS[1], 'token', ARGV[2], 'ends', string.format('%.0f', ends))
return { 'done' }
