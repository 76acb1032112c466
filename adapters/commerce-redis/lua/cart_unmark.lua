-- Takes back a mark. KEYS: the cart, and when carts are due. ARGV: the id, and the token of the mark; '' for any one whose time is over.
local token, ends, expires = unpack(redis.call('HMGET', KEYS[1], 'token', 'ends', 'expires'))
local clock = redis.call('TIME')
local is_over = ends and tonumber(ends) <= clock[1] * 1000 + clock[2] / 1000
if token and (token == ARGV[2] or ARGV[2] == '' and is_over) then
  redis.call('HDEL', KEYS[1], 'token', 'ends')
  redis.call('ZADD', KEYS[2], expires, ARGV[1])
end
