-- Changes carts, or nothing.
-- KEYS: of each change the cart, and the active cart of its customer; at last the answer, when carts are due, how far targets have read the
-- events, and their stream.
-- ARGV: the number of changes, the answer or '', its time, the length of the stream, and how long a cart is kept after it has expired; of each
-- change the id, the expected version, the next version, the body, the time until it expires, 1 if it is active, and the type and text of the
-- event. Times are in milliseconds.
local count = tonumber(ARGV[1])
local answer, due, read, stream = unpack(KEYS, 2 * count + 1)
local function of(change)
  return unpack(ARGV, 8 * change - 2, 8 * change + 5)
end
if ARGV[2] ~= '' then
  local known = redis.call('GET', answer)
  if known then
    return { 'answered', known }
  end
end
local freed, seen = {}, {}
for change = 1, count do
  local id, expected, version_after, _, _, active = of(change)
  local version, token = unpack(redis.call('HMGET', KEYS[2 * change - 1], 'version', 'token'))
  if token then
    return { 'busy', id }
  end
  version = seen[id] or version or '0'
  if version ~= expected or seen[id] then
    return { 'conflict', id, version }
  end
  seen[id] = version_after
  if active ~= '1' and redis.call('GET', KEYS[2 * change]) == id then
    freed[KEYS[2 * change]] = true
  end
end
local taken = {}
for change = 1, count do
  local id, _, _, _, _, active = of(change)
  local key = KEYS[2 * change]
  local owner = taken[key] or not freed[key] and redis.call('GET', key)
  if active == '1' and owner and owner ~= id then
    return { 'claimed', id, owner }
  end
  if active == '1' then
    taken[key] = id
  end
end
for key in pairs(freed) do
  redis.call('DEL', key)
end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local is_read = redis.call('EXISTS', read) == 1
for change = 1, count do
  local id, _, version, body, time, active, kind, text = of(change)
  local cart = KEYS[2 * change - 1]
  local kept = string.format('%.0f', time + ARGV[5])
  local expires = string.format('%.0f', now + time)
  redis.call('HSET', cart, 'version', version, 'body', body, 'expires', expires)
  redis.call('PEXPIRE', cart, kept)
  if active == '1' then
    redis.call('SET', KEYS[2 * change], id, 'PX', kept)
    redis.call('ZADD', due, expires, id)
  else
    redis.call('ZREM', due, id)
  end
  if is_read then
    redis.call('XADD', stream, 'MAXLEN', '~', ARGV[4], '0-*', 'cart', id, 'type', kind, 'event', text)
  end
end
if ARGV[2] ~= '' then
  redis.call('SET', answer, ARGV[2], 'PX', ARGV[3])
end
return { 'done' }
