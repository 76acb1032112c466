-- Changes carts, or nothing.
-- KEYS: of each change the cart, and the active cart of its customer; at last the answer and the stream of events.
-- ARGV: the number of changes, the answer or '', its time and the length of the stream; of each change the id, the expected version, the
-- next version, the body, its time, 1 if it is active, and the id, type, subject and text of the event. Times are in milliseconds.
local count = tonumber(ARGV[1])
local answer, stream = KEYS[2 * count + 1], KEYS[2 * count + 2]
local function of(change)
  return unpack(ARGV, 10 * change - 5, 10 * change + 4)
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
for change = 1, count do
  local id, _, version, body, time, active, event, kind, subject, text = of(change)
  local cart = KEYS[2 * change - 1]
  redis.call('HSET', cart, 'version', version, 'body', body)
  redis.call('PEXPIRE', cart, time)
  if active == '1' then
    redis.call('SET', KEYS[2 * change], id, 'PX', time)
  end
  redis.call('XADD', stream, 'MAXLEN', '~', ARGV[4], '*', 'id', event, 'type', kind, 'subject', subject, 'event', text)
end
if ARGV[2] ~= '' then
  redis.call('SET', answer, ARGV[2], 'PX', ARGV[3])
end
return { 'done' }
