-- KEYS: the cart. Returns its body, and the token of its mark if there is one, even if its time is over.
return redis.call('HMGET', KEYS[1], 'body', 'token')
