-- Removes an ordered cart. KEYS: the cart, and the active cart of its customer. ARGV: the id.
redis.call('DEL', KEYS[1])
if redis.call('GET', KEYS[2]) == ARGV[1] then
  redis.call('DEL', KEYS[2])
end
