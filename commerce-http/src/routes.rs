//! The table of routes, and the handlers, in one file per noun.
//!
//! The router, `Allow`, the labels of the metrics, and the test that compares the `OpenAPI` document with the table use this
//! table.

pub(crate) mod carts;
pub(crate) mod categories;
pub(crate) mod checkouts;
pub(crate) mod customers;
pub(crate) mod events;
pub(crate) mod history;
pub(crate) mod inbox;
pub(crate) mod inventory;
pub(crate) mod orders;
pub(crate) mod payment_methods;
pub(crate) mod payments;
pub(crate) mod products;
pub(crate) mod promos;
pub(crate) mod promotions;
pub(crate) mod quotes;
pub(crate) mod returns;
pub(crate) mod system;
pub(crate) mod tasks;
pub(crate) mod webhook_endpoints;
pub(crate) mod webhooks;

use std::sync::LazyLock;

use crate::route::{Route, Router, routes};

pub(crate) static ROUTER: LazyLock<Router> = LazyLock::new(|| Router::of(ROUTES));

routes! {
    Shop {
        POST "/carts" carts::open = openCart(User);
        GET "/carts" carts::list = listCarts(SeeAll);
        GET "/carts/{id}" carts::show = getCart(User);
        PATCH "/carts/{id}" carts::update = updateCart(User);
        GET "/carts/{id}/history" history::of_cart = listCartHistory(SeeAll);
        POST "/carts/{id}/refresh" carts::refresh = refreshCart(User);
        POST "/carts/{id}/items" carts::add_item = addCartItem(User);
        PATCH "/carts/{id}/items/{item_id}" carts::change_item = updateCartItem(User);
        DELETE "/carts/{id}/items/{item_id}" carts::remove_item = removeCartItem(User);
        POST "/carts/{id}/promotions" promotions::add = addCartPromotion(User);
        DELETE "/carts/{id}/promotions/{code}" promotions::remove = removeCartPromotion(User);

        POST "/checkouts" checkouts::create = createCheckout(User);

        POST "/orders" orders::create = createOrder(User);
        GET "/orders" orders::list = listOrders(User);
        GET "/users/{user_id}/orders" orders::list_of_user = listUserOrders(User);
        GET "/orders/{id}" orders::show = getOrder(User);
        PATCH "/orders/{id}" orders::update = updateOrder(MoveOrders);
        DELETE "/orders/{id}" orders::delete = deleteOrder(User);
        GET "/orders/{id}/events" orders::events = listOrderEvents(User);
        GET "/orders/{id}/saga" orders::saga = getOrderSaga(SeeAll);
        PUT "/orders/{id}/status" orders::set_status = setOrderStatus(MoveOrders);
        POST "/orders/{id}/cancel" orders::cancel = cancelOrder(User);
        PUT "/orders/{id}/shipping" orders::set_shipping = setOrderShipping(MoveOrders);

        POST "/orders/{id}/returns" returns::create = createReturn(User);
        GET "/returns" returns::list = listReturns(User);
        GET "/returns/{id}" returns::show = getReturn(User);
        POST "/returns/{id}/approve" returns::approve = approveReturn(HandleReturns);
        POST "/returns/{id}/reject" returns::reject = rejectReturn(HandleReturns);
        POST "/returns/{id}/receive" returns::receive = receiveReturn(HandleReturns);

        POST "/payments" payments::create = createPayment(User);
        GET "/payments" payments::list = listPayments(User);
        GET "/payments/{id}" payments::show = getPayment(User);
        POST "/payments/{id}/confirm" payments::confirm = confirmPayment(User);
        POST "/payments/{id}/capture" payments::capture = capturePayment(CapturePayments);
        POST "/payments/{id}/void" payments::void = voidPayment(CapturePayments);
        POST "/payments/{id}/refunds" payments::refund = createRefund(HandleReturns);
        GET "/payments/{id}/evidence" payments::evidence = getPaymentEvidence(SeeAll);
        POST "/payments/{id}/refunds/{refund_id}/paid" payments::refund_paid = markRefundPaid(HandleReturns);
        POST "/payments/{id}/refund" payments::refund_payment = refundPayment(HandleReturns);

        POST "/webhooks/payments/{processor}" webhooks::receive = receiveWebhook(Signer);
        POST "/webhooks/payments" webhooks::receive_remote = receiveRemoteWebhook(Signer);
        GET "/webhooks/events" webhooks::events = listProcessorEvents(SeeAll);
        POST "/webhooks/events/{id}/retry" webhooks::retry = retryProcessorEvent(ManageTasks);

        POST "/payment-methods" payment_methods::create = createPaymentMethod(User);
        GET "/payment-methods" payment_methods::list = listPaymentMethods(User);
        GET "/payment-methods/{id}" payment_methods::show = getPaymentMethod(User);
        DELETE "/payment-methods/{id}" payment_methods::delete = deletePaymentMethod(User);

        GET "/promos" promos::list = listPromotions(ManagePromotions);
        POST "/promos" promos::create = createPromotion(ManagePromotions);
        POST "/promos/validate" promos::validate = validateCode(User);
        GET "/promos/{id}" promos::show = getPromotion(ManagePromotions);
        PATCH "/promos/{id}" promos::update = updatePromotion(ManagePromotions);
        DELETE "/promos/{id}" promos::end = endPromotion(ManagePromotions);
        GET "/promos/{id}/history" history::of_promotion = listPromotionHistory(SeeAll);
        GET "/promos/{id}/redemptions" promos::redemptions = listRedemptions(ManagePromotions);

        POST "/quotes" quotes::create = createQuote(Quote);

        GET "/products" products::list = listProducts(Anyone);
        POST "/products" products::create = createProduct(ManageCatalog);
        GET "/products/{id}" products::show = getProduct(Anyone);
        PUT "/products/{id}" products::replace = replaceProduct(ManageCatalog);
        GET "/products/{id}/history" history::of_product = listProductHistory(SeeAll);
        GET "/products/{id}/variants" products::variants = listVariants(Anyone);
        GET "/products/{id}/inventory" inventory::of_product = listProductInventory(SeeStock);
        GET "/categories" categories::list = listCategories(Anyone);
        POST "/categories" categories::create = createCategory(ManageCatalog);
        PUT "/categories/{id}" categories::rename = replaceCategory(ManageCatalog);
        GET "/categories/{id}/history" history::of_category = listCategoryHistory(SeeAll);

        GET "/customers" customers::list = listCustomers(SeeAll);
        GET "/customers/{id}" customers::show = getCustomer(User);
        PUT "/customers/{id}" customers::replace = replaceCustomer(ManageCustomers);
        DELETE "/customers/{id}" customers::delete = deleteCustomer(ManageCustomers);
        GET "/customers/{id}/history" customers::history = listCustomerHistory(SeeAll);

        GET "/inventory" inventory::list = listInventory(SeeStock);
        GET "/inventory/{sku}" inventory::show = getInventory(SeeStock);
        PUT "/inventory/{sku}" inventory::set = setInventory(ManageStock);
        POST "/inventory/{sku}/adjustments" inventory::adjust = adjustInventory(ManageStock);

        GET "/events" events::list = listEvents(ReadFeed);

        GET "/webhook-endpoints" webhook_endpoints::list = listWebhookEndpoints(ManageWebhooks);
        POST "/webhook-endpoints" webhook_endpoints::create = createWebhookEndpoint(ManageWebhooks);
        GET "/webhook-endpoints/{id}" webhook_endpoints::show = getWebhookEndpoint(ManageWebhooks);
        PATCH "/webhook-endpoints/{id}" webhook_endpoints::update = updateWebhookEndpoint(ManageWebhooks);
        DELETE "/webhook-endpoints/{id}" webhook_endpoints::delete = deleteWebhookEndpoint(ManageWebhooks);
        POST "/webhook-endpoints/{id}/rotate-secret" webhook_endpoints::rotate_secret = rotateWebhookSecret(ManageWebhooks);
        POST "/webhook-endpoints/{id}/test" webhook_endpoints::test = testWebhookEndpoint(ManageWebhooks);
        POST "/webhook-endpoints/{id}/replay" webhook_endpoints::replay = replayWebhooks(ManageWebhooks);
        GET "/webhook-endpoints/{id}/deliveries" webhook_endpoints::deliveries = listWebhookDeliveries(ManageWebhooks);

        POST "/inbox/{source}" inbox::receive = receiveEvent(Signer);
        GET "/dead-letters" inbox::list = listDeadLetters(ManageTasks);
        GET "/dead-letters/{id}" inbox::show = getDeadLetter(ManageTasks);
        POST "/dead-letters/{id}/retry" inbox::retry = retryDeadLetter(ManageTasks);
        DELETE "/dead-letters/{id}" inbox::discard = discardDeadLetter(ManageTasks);

        GET "/tasks" tasks::list = listTasks(ManageTasks);
        GET "/tasks/{kind}/{subject}" tasks::show = getTask(ManageTasks);
        POST "/tasks/{kind}/{subject}/retry" tasks::retry = retryTask(ManageTasks);
        DELETE "/tasks/{kind}/{subject}" tasks::delete = deleteTask(ManageTasks);
    }
    System GET "/healthz" system::healthz = getHealth(Anyone);
    System GET "/readyz" system::readyz = getReadiness(Anyone);
    System GET "/metrics" system::metrics = getMetrics(Anyone);
    System GET "/openapi.json" system::openapi_json = getDocument(Anyone);
    System GET "/asyncapi.json" system::asyncapi_json = getEventsDocument(Anyone);
    System GET "/docs" system::docs = getDocs(Anyone);
    Asset GET "/docs/" system::docs_page = getDocsPage(Anyone);
    Asset GET "/docs/{*file}" system::docs_file = getDocsFile(Anyone);
    Asset GET "/" system::home = getHome(Anyone);
}
