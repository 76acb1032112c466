-- KEYS: the cart. Returns its body, and its mark if there is one.
local body, token, ends = unpack(redis.call('HMGET', KEYS[1], 'body', 'token', 'ends'))
local clock = redis.call('TIME')
if ends and tonumber(ends) <= clock[1] * 1000 + clock[2] / 1000 then
  token = false
end
return { body, token }
