-- Takes back a mark. KEYS: the cart. ARGV: the token.
if redis.call('HGET', KEYS[1], 'token') == ARGV[1] then
  redis.call('HDEL', KEYS[1], 'token', 'ends')
end
