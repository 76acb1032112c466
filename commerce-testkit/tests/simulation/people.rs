//! Customers and staff. They retry what fails, with the same key, and give up after a while; what they are told they note.

use commerce_core::actor::{Actor, Role};
use commerce_core::commit::IdempotencyKey;
use commerce_core::engine::{
    EngineError, Idempotency, ItemRequest, PlaceOrderRequest, Reply, Target, TaskOutcome, TaskRun,
};
use commerce_core::ids::ReturnId;
use commerce_core::money::Money;
use commerce_core::order::{
    Command, Order, OrderDetails, PaymentStatus, Phase, ReturnLine, ReturnRequest, ReturnStatus,
};
use commerce_core::port::{OrderRef, Webhook};
use commerce_testkit::commit_builder::{address, parse, units};
use commerce_testkit::{FakeProcessor, ProcessorBehavior, Random};
use uuid::Uuid;

use crate::world::{GOODS, World, admin};

/// What a customer was told: under this key, this order.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) key: String,
    pub(crate) order: String,
}

/// How often somebody tries before they give up.
const PATIENCE: u32 = 4;

/// Shops for a while.
pub(crate) async fn shop(world: World, seed: u64, customer: u64, steps: u64) -> Vec<Told> {
    let mut random = Random::new(seed.wrapping_mul(1_000).wrapping_add(customer));
    let me = Actor::user(Role::Customer, parse(&format!("user-{customer}")));
    let mut told = Vec::new();
    for step in 0..steps {
        match random.below(10) {
            0..=3 => place(&world, &me, &format!("{customer}-{step}"), &mut random, &mut told).await,
            4..=6 => pay(&world, &me, &mut random).await,
            7 => on_some_order(&world, &me, &mut random, |_| Some(Command::Cancel { reason: None })).await,
            8 => on_some_order(&world, &me, &mut random, send_back).await,
            _ => tokio::time::sleep(std::time::Duration::from_millis(random.below(50))).await,
        }
    }
    told
}

async fn place(world: &World, me: &Actor, key: &str, random: &mut Random, told: &mut Vec<Told>) {
    let items = (0..=random.below(2)).map(|_| item(random)).collect();
    let mut request = PlaceOrderRequest::new(items, OrderDetails::new(address()));
    request.shipping_method = Some(parse("standard"));
    request.details.notes = Some(parse(key));
    let record = IdempotencyKey { scope: format!("{:?}", me.user), key: key.into() };
    for _ in 0..PATIENCE {
        let idempotency =
            Idempotency { key: record.clone(), fingerprint: "f".into(), reply: &|order: &Order| order.id.to_string() };
        let placing = world.engine.place_order(me, &request, Some(&idempotency));
        let placed = world.in_process(random, placing).await;
        world.note(format_args!("{key} orders: {placed:.60?}"));
        let order = match placed {
            Some(Ok(Reply::Fresh(order) | Reply::Again(order))) => order.id.to_string(),
            Some(Ok(Reply::Replayed(answer))) => answer,
            None | Some(Err(EngineError::Store(_))) => continue,
            Some(Err(_)) => return,
        };
        // Told once, or asked again although the answer had come: it must be the same.
        told.push(Told { key: key.to_owned(), order });
        if random.happens(800) {
            return;
        }
    }
}

fn item(random: &mut Random) -> ItemRequest {
    let (sku, _) = GOODS[usize::try_from(random.below(4)).unwrap()];
    let quantity = units(1 + i64::try_from(random.below(2)).unwrap());
    ItemRequest::sku(parse(sku), quantity)
}

async fn pay(world: &World, me: &Actor, random: &mut Random) {
    let moods = [
        ProcessorBehavior::Answers,
        ProcessorBehavior::Answers,
        ProcessorBehavior::Answers,
        ProcessorBehavior::Declines,
        ProcessorBehavior::Unavailable,
        ProcessorBehavior::LosesAnswers,
        ProcessorBehavior::LosesRequests,
        ProcessorBehavior::Hesitates,
    ];
    let mood = moods[usize::try_from(random.below(8)).unwrap()];
    if mood != ProcessorBehavior::Answers {
        world.record.fault(match mood {
            ProcessorBehavior::Declines => "processor declines",
            ProcessorBehavior::Hesitates => "processor answers later",
            ProcessorBehavior::Unavailable => "processor is down",
            ProcessorBehavior::LosesRequests => "processor loses requests",
            ProcessorBehavior::LosesAnswers | ProcessorBehavior::Answers => "processor loses answers",
        });
    }
    world.payments.be(mood);
    let Some(order) = some_order(world, Some(me), random).await else { return };
    for _ in 0..PATIENCE {
        let paying = Box::pin(world.engine.confirm_payment(me, order.payment.id, "tok".into(), None));
        let paid = world.in_process(random, paying).await;
        world.note(format_args!("{} is paid for: {paid:.60?}", order.id));
        match paid {
            None | Some(Err(EngineError::Store(_) | EngineError::Payments(_))) => {}
            Some(_) => return,
        }
    }
}

fn send_back(order: &Order) -> Option<Command> {
    let item = order.items().find(|item| order.returning(item.id) < item.quantity.get())?;
    let id = ReturnId::new(Uuid::from_u128(order.id.uuid().as_u128() ^ u128::from(order.version) << 64));
    let lines = vec![ReturnLine { item: item.id, quantity: units(1) }];
    Some(Command::RequestReturn(ReturnRequest { id, lines, reason: None }))
}

/// Moves orders on, receives returns, does tasks, until told to stop.
pub(crate) async fn work(world: World, seed: u64) {
    let mut random = Random::new(!seed);
    loop {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        match random.below(11) {
            10 => capture_or_void(&world, &mut random).await,
            8 if random.happens(300) => {
                let pulled = world.in_process(&mut random, Box::pin(world.engine.pull_events())).await;
                world.note(format_args!("events are pulled: {pulled:.60?}"));
            }
            8..=9 => hear(&world, &mut random).await,
            0..=2 => on_some_order(&world, &admin(), &mut random, next_step).await,
            3..=4 => on_some_order(&world, &admin(), &mut random, next_return).await,
            5 => world.wait(i64::try_from(random.below(8)).unwrap()),
            6 if random.happens(50) => jump(&world, &mut random),
            // A failure here is one of the faults: the task stays and is tried again.
            _ => drop(world.in_process(&mut random, Box::pin(world.engine.run_due_tasks(10))).await),
        }
    }
}

/// How many of the last events of the processor a webhook may be about.
const LATE: usize = 12;

/// Webhooks arrive: late, in any order, some twice and some never.
async fn hear(world: &World, random: &mut Random) {
    let mut events = world.payments.events();
    events.drain(..events.len().saturating_sub(LATE));
    let heard: Vec<_> = (0..random.below(4)).filter_map(|_| pick(&events, random).cloned()).collect();
    if heard.is_empty() {
        return;
    }
    let at = world.now();
    let (signature, body) = FakeProcessor::webhook(at, &heard);
    let webhook = Webhook { headers: &[("x-signature", &signature)], body: &body, at };
    let hearing = Box::pin(world.engine.receive_webhook("fake", &webhook));
    let received = world.in_process(random, hearing).await;
    world.record.fault("webhook late, doubled or out of order");
    world.note(format_args!("a webhook of {} events: {received:.60?}", heard.len()));
}

fn pick<'a, T>(items: &'a [T], random: &mut Random) -> Option<&'a T> {
    let place = random.below(items.len().max(1).try_into().unwrap());
    items.get(usize::try_from(place).unwrap())
}

/// Another process has another clock.
fn jump(world: &World, random: &mut Random) {
    let minutes = i64::try_from(random.below(2_000)).unwrap() - 10;
    world.record.fault("clock jumped");
    world.note(format_args!("the clock jumps by {minutes} minutes"));
    world.wait(minutes);
}

fn next_step(order: &Order) -> Option<Command> {
    let ways = [(Phase::Paid, "shipped"), (Phase::Shipped, "delivered")];
    let (_, status) = ways.into_iter().find(|(phase, _)| *phase == order.phase)?;
    Some(Command::Transition { status: parse(status), reason: None })
}

fn next_return(order: &Order) -> Option<Command> {
    order.returns.iter().find_map(|known| match known.status {
        ReturnStatus::Requested => Some(Command::ApproveReturn(known.id)),
        ReturnStatus::Approved => Some(Command::ReceiveReturn(known.id)),
        ReturnStatus::Rejected | ReturnStatus::Received => None,
    })
}

async fn on_some_order(world: &World, who: &Actor, random: &mut Random, wish: impl Fn(&Order) -> Option<Command>) {
    let own = (who.role == Role::Customer).then_some(who);
    let Some(order) = some_order(world, own, random).await else { return };
    let Some(command) = wish(&order) else { return };
    for _ in 0..PATIENCE {
        let order_ref = OrderRef::Id(order.id);
        let changing = world.engine.command(who, Target::any(&order_ref), command.clone(), None);
        let changed = world.in_process(random, changing).await;
        world.note(format_args!("{} {command:.60?}: {changed:.60?}", order.id));
        match changed {
            None | Some(Err(EngineError::Store(_))) => {}
            Some(_) => return,
        }
    }
}

async fn some_order(world: &World, owner: Option<&Actor>, random: &mut Random) -> Option<Order> {
    let mut orders = world.orders().await;
    orders.retain(|order| owner.is_none_or(|owner| owner.user.as_ref() == Some(&order.user_id)));
    let place = usize::try_from(random.below(orders.len().max(1).try_into().unwrap())).unwrap();
    orders.into_iter().nth(place)
}

/// Everything is well again: the processor tells what it did, unpaid orders expire, tasks are done.
pub(crate) async fn wind_down(world: &World) {
    for _ in 0..60 {
        world.wait(60); // longer than any pause between two attempts, and than any reservation
        let finished = |run: &TaskRun| run.outcome == TaskOutcome::Finished;
        while world.engine.run_due_tasks(100).await.unwrap().iter().any(finished) {}
        repeat_what_was_declined(world).await;
    }
}

/// Staff capture again what is held for goods that have left, and give back what is held for nothing.
async fn repeat_what_was_declined(world: &World) {
    for order in world.orders().await {
        let payment = order.payment.id;
        if order.payment.status == PaymentStatus::CaptureFailed && order.phase.is_shipped() {
            drop(world.engine.capture_payment(&admin(), payment, (None, None), None).await);
        }
        if order.payment.held.is_none() {
            drop(world.engine.void_payment(&admin(), payment, None).await);
        }
    }
}

/// Captures a part of what is held for some order, or rarely gives it back.
async fn capture_or_void(world: &World, random: &mut Random) {
    let Some(order) = some_order(world, None, random).await else { return };
    let (admin, payment) = (admin(), order.payment.id);
    let answer = if order.phase == Phase::Paid && random.happens(200) {
        let voiding = Box::pin(world.engine.void_payment(&admin, payment, None));
        world.in_process(random, voiding).await
    } else {
        let amount = Money::new(i64::try_from(random.below(1_500)).unwrap(), order.currency());
        let capturing = Box::pin(world.engine.capture_payment(&admin, payment, (Some(amount), None), None));
        world.in_process(random, capturing).await
    };
    world.note(format_args!("{} is captured or voided: {answer:.60?}", order.id));
}
