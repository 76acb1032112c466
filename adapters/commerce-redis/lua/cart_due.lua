-- Carts that have expired, or whose mark is over. KEYS: when carts are due. ARGV: the most carts.
local clock = redis.call('TIME')
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', clock[1] * 1000 + math.floor(clock[2] / 1000), 'LIMIT', 0, ARGV[1])
