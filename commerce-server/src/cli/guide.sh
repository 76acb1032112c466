# commerce {version} serves http://{address}
#   database   {database}
#   payments   sandbox, no money moves
#   key        {key} for development
#   reference  http://{address}/docs
#
# Copy the lines below into another terminal to place and pay a first order.

{url}commerce() { ({command} "$@"); }
shop=http://{address}/v1

{import}token=$(commerce token --sub alice --role customer)
order=$(curl -sS "$shop/orders" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' \
  -H "Idempotency-Key: first-order-$(date +%s)" -d {order})
echo "$order"

payment=$(echo "$order" | sed 's/.*"payment":{[^}]*"id":"\([^"]*\)".*/\1/')
curl -sS "$shop/payments/$payment/confirm" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' \
  -d '{"token":"tok_ok"}'; echo
