-- Removes an ordered cart. KEYS: the cart, the active cart of its customer, and when carts are due. ARGV: the id.
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[3], ARGV[1])
if redis.call('GET', KEYS[2]) == ARGV[1] then
  redis.call('DEL', KEYS[2])
end
