-- Takes back a mark. KEYS: the cart. ARGV: the token of the mark; '' for any one whose time is over.
local token, ends = unpack(redis.call('HMGET', KEYS[1], 'token', 'ends'))
local clock = redis.call('TIME')
local is_over = ends and tonumber(ends) <= clock[1] * 1000 + clock[2] / 1000
if token == ARGV[1] or ARGV[1] == '' and is_over then
  redis.call('HDEL', KEYS[1], 'token', 'ends')
end
