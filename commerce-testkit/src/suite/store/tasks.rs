//! Tasks: leases, failures, schedules.

#![expect(missing_docs, reason = "the names of the cases say it")]

use std::collections::BTreeSet;
use std::sync::Arc;

use commerce_core::actor::Actor;
use commerce_core::event::{HistoryEntry, Recorded};
use commerce_core::ids::{EventId, OrderId};
use commerce_core::replay::{Difference, verify};
use commerce_core::task::{Task, TaskChange, TaskEvent, TaskKey, TaskKind, TaskState};

use super::{Case, Fixture, first, walk};

/// Up to the limit. None that is due later.
pub async fn due_tasks_come_oldest_first<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    let mut keys = Vec::new();
    for due in [30, 10, 20, 40] {
        keys.push((due, scheduled(&case, due).await));
    }
    keys.sort_by_key(|(due, _)| *due);
    let expected = |range: std::ops::Range<usize>| -> Vec<Task> {
        let task = |(due, key): &(i64, TaskKey)| Task {
            ready_at: Some(case.shop.at(90)),
            ..Task::scheduled(key.clone(), case.shop.at(*due), payload())
        };
        keys[range].iter().map(task).collect()
    };
    assert_eq!(lease(&case, 9, 90, 10).await, []);
    assert_eq!(lease(&case, 30, 90, 2).await, expected(0..2));
    assert_eq!(lease(&case, 30, 90, 2).await, expected(2..3));
    assert_eq!(lease(&case, 40, 90, 2).await, expected(3..4));
}

/// Until the lease ends.
pub async fn a_task_is_leased_to_one_worker<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    scheduled(&case, 10).await;
    assert_eq!(lease(&case, 10, 60, 10).await.len(), 1);
    let other = Case { store: fixture.reopen().await, shop: case.shop };
    assert_eq!(lease(&other, 10, 60, 10).await, []);
    assert_eq!(lease(&other, 59, 90, 10).await, []);
}

pub async fn workers_at_once_share_the_tasks<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    let mut keys = BTreeSet::new();
    for _ in 0..20 {
        keys.insert(scheduled(&case, 10).await);
    }
    let workers: Vec<_> = (0..8)
        .map(|_| {
            let (store, at, until) = (Arc::clone(&case.store), case.shop.at(10), case.shop.at(60));
            tokio::spawn(async move { store.lease_tasks(at, until, 5).await.unwrap() })
        })
        .collect();
    let mut leased = Vec::new();
    for worker in workers {
        leased.extend(worker.await.unwrap());
    }
    leased.extend(lease(&case, 10, 60, 20).await);
    assert_eq!(leased.len(), 20);
    assert_eq!(leased.into_iter().map(|task| task.key).collect::<BTreeSet<_>>(), keys);
}

/// After the lease of a dead worker ends, which is not a failure of the task.
pub async fn a_lost_lease_goes_to_another_worker<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    let key = scheduled(&case, 10).await;
    let first = lease(&case, 10, 60, 10).await;
    let second = lease(&case, 60, 90, 10).await;
    assert_eq!(second, [Task { ready_at: Some(case.shop.at(90)), ..first[0].clone() }]);
    assert!(!replace(&case, &first[0], None).await, "the worker that lost the lease changes nothing");
    assert!(replace(&case, &second[0], None).await);
    assert_eq!(case.store().task(&key).await.unwrap(), None);
    assert_eq!(first[0].key, key);
}

/// With the number of failures and the last error.
pub async fn a_failed_task_comes_back_when_it_is_due<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    let key = scheduled(&case, 10).await;
    let reason = "it's \"down\" 🦀".repeat(20);
    for (failures, at, retry) in [(1, 10, 20), (2, 20, 45)] {
        let leased = lease(&case, at, 1000, 10).await.remove(0);
        assert!(replace(&case, &leased, Some(&leased.failed(Some(case.shop.at(retry)), &reason))).await);
        assert_eq!(lease(&case, retry - 1, 1000, 10).await, []);
        let due = case.shop.at(retry);
        let (ready_at, last_error) = (Some(due), Some(reason.clone()));
        let task = Task { failures, ready_at, last_error, ..Task::scheduled(key.clone(), due, payload()) };
        assert_eq!(lease(&case, retry, retry, 10).await, [task]);
    }
}

/// It exists, but no worker gets it.
pub async fn a_task_that_is_given_up_does_not_come_back<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    let key = scheduled(&case, 10).await;
    let leased = lease(&case, 10, 60, 10).await.remove(0);
    assert!(replace(&case, &leased, Some(&leased.failed(None, "refused for good"))).await);
    assert_eq!(case.store().task(&key).await.unwrap().map(|task| task.ready_at), Some(None));
    assert_eq!(lease(&case, 1_000_000, 1_000_001, 10).await, []);
}

/// Finished by a commit, leased or not. Finishing an unknown task has no effect.
pub async fn a_finished_task_does_not_come_back<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    let (leased, waiting) = (scheduled(&case, 10).await, scheduled(&case, 20).await);
    let running = lease(&case, 10, 15, 10).await.remove(0);
    for _ in 0..2 {
        change(&case, &[TaskChange::Finish(leased.clone()), TaskChange::Finish(waiting.clone())]).await;
    }
    assert_eq!(lease(&case, 100, 200, 10).await, []);
    assert!(!replace(&case, &running, Some(&running.failed(Some(case.shop.at(0)), "too late"))).await);
    assert_eq!(lease(&case, 100, 200, 10).await, []);
}

/// Neither the due time nor the lease changes.
pub async fn scheduling_twice_is_scheduling_once<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    let key = scheduled(&case, 10).await;
    let again = |due| [TaskChange::schedule(key.clone(), case.shop.at(due))];
    change(&case, &again(5)).await;
    assert_eq!(lease(&case, 9, 60, 10).await, []);
    assert_eq!(lease(&case, 10, 60, 10).await.len(), 1);
    change(&case, &again(1)).await;
    assert_eq!(lease(&case, 11, 60, 10).await, []);
    change(&case, &[TaskChange::Finish(key.clone())]).await;
    change(&case, &again(30)).await;
    assert_eq!(lease(&case, 30, 60, 10).await.len(), 1);
}

pub async fn scheduled_and_finished_at_once_leaves_nothing<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    let key = || TaskKey::expire_order(OrderId::new(case.shop.uuid()));
    let (gone, kept) = (key(), key());
    let schedule = |key: &TaskKey| TaskChange::schedule(key.clone(), case.shop.at(10));
    let finish = |key: &TaskKey| TaskChange::Finish(key.clone());
    change(&case, &[schedule(&gone), finish(&gone), finish(&kept), schedule(&kept)]).await;
    assert_eq!(lease(&case, 10, 60, 10).await.into_iter().map(|task| task.key).collect::<Vec<_>>(), [kept]);
}

/// It is left to a process that knows the kind.
pub async fn a_task_of_an_unknown_kind_is_left_alone<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    let key = TaskKey { kind: TaskKind::new("from_the_future"), subject: "s-1".into() };
    change(&case, &[TaskChange::schedule(key.clone(), case.shop.at(10))]).await;
    assert_eq!(lease(&case, 10, 60, 10).await, []);
    assert_eq!(case.store().task(&key).await.unwrap().map(|task| task.failures), Some(0));
}

/// In each state, by kind and subject, in pages.
pub async fn tasks_are_listed_by_state<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    let mut keys = Vec::new();
    for due in [10, 10, 10, 99] {
        keys.push(scheduled(&case, due).await);
    }
    keys.sort();
    let leased = lease(&case, 10, 60, 2).await;
    assert!(replace(&case, &leased[0], Some(&leased[0].failed(None, "refused for good"))).await);
    let listed = async |state: Option<TaskState>, at: i64| {
        let page = async |page| case.store().tasks(state, case.shop.at(at), &page).await;
        walk(3, page, async || ()).await.into_iter().map(|task| task.key).collect::<Vec<_>>()
    };
    assert_eq!(listed(None, 20).await, keys);
    assert_eq!(listed(Some(TaskState::Dead), 20).await, [leased[0].key.clone()]);
    assert_eq!(listed(Some(TaskState::Running), 20).await, [leased[1].key.clone()]);
    assert_eq!(listed(Some(TaskState::Running), 60).await, []);
    assert_eq!(listed(Some(TaskState::Scheduled), 20).await.len(), 1);
    assert_eq!(listed(Some(TaskState::Due), 20).await.len(), 1);
    assert_eq!(listed(Some(TaskState::Due), 60).await.len(), 2);
}

/// Orders schedule and finish them. The rest has events of its own, except attempts and leases.
pub async fn tasks_follow_from_the_history<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 9)]).await;
    let mut tasks = Vec::new();
    for _ in 0..5 {
        let order = case.placed(&[("MUG", 1)]).await;
        tasks.push(case.store().task(&TaskKey::expire_order(order.id)).await.unwrap().unwrap());
    }
    let paid = case.placed(&[("MUG", 1)]).await;
    case.pay(&paid, case.shop.at(2)).await;
    let [failed, given_up, retried, dropped, plain] = &tasks[..] else { panic!("five") };
    assert!(replace(&case, failed, Some(&failed.failed(Some(case.shop.at(9999)), "down"))).await);
    assert!(record(&case, given_up, TaskEvent::GivenUp, 3).await);
    assert!(record(&case, retried, TaskEvent::GivenUp, 3).await);
    assert!(!record(&case, retried, TaskEvent::Dropped, 4).await, "it has changed since");
    let dead = case.store().task(&retried.key).await.unwrap().unwrap();
    assert!(record(&case, &dead, TaskEvent::Retried, 4).await);
    assert!(record(&case, dropped, TaskEvent::Dropped, 5).await);
    assert_eq!(lease(&case, 4, 60, 9).await.len(), 1);
    let events = case.store().history(&first(100)).await.unwrap().items.into_iter().filter_map(|entry| match entry {
        HistoryEntry::Task(key, entry) => Some((key, entry.sequence, entry.event, entry.at)),
        HistoryEntry::Order(..) | HistoryEntry::Stock(..) | HistoryEntry::Document(..) => None,
    });
    let at = |seconds| case.shop.at(seconds);
    let expected = [
        (given_up.key.clone(), 1, TaskEvent::GivenUp, at(3)),
        (retried.key.clone(), 1, TaskEvent::GivenUp, at(3)),
        (retried.key.clone(), 2, TaskEvent::Retried, at(4)),
        (dropped.key.clone(), 1, TaskEvent::Dropped, at(5)),
    ];
    assert_eq!(events.collect::<Vec<_>>(), expected);
    assert_eq!(differing(&case).await, []);
    assert!(replace(&case, &stored(&case, failed).await, None).await);
    assert!(replace(&case, plain, Some(&Task { due: at(1), ..plain.clone() })).await);
    assert!(replace(&case, &stored(&case, given_up).await, Some(given_up)).await);
    assert_eq!(differing(&case).await.len(), 3);
}

/// The tasks that differ from the history.
async fn differing(case: &Case) -> Vec<TaskKey> {
    let report = verify(case.store(), case.shop.at(9), |_| {}).await.unwrap();
    let key = |difference| {
        let Difference::Task { key, .. } = difference else { panic!("{difference}") };
        key
    };
    report.differences.into_iter().map(key).collect()
}

async fn stored(case: &Case, task: &Task) -> Task {
    case.store().task(&task.key).await.unwrap().unwrap()
}

async fn record(case: &Case, task: &Task, event: TaskEvent, at: i64) -> bool {
    let id = EventId::new(case.shop.uuid());
    let entry = Recorded { id, sequence: 0, at: case.shop.at(at), actor: Actor::SYSTEM, trace: None, event };
    case.store().replace_task(task, entry.evolve(task).as_ref(), Some(&entry)).await.unwrap()
}

async fn scheduled(case: &Case, due: i64) -> TaskKey {
    let key = TaskKey::expire_order(OrderId::new(case.shop.uuid()));
    let schedule = TaskChange::Schedule { key: key.clone(), due: case.shop.at(due), payload: payload() };
    change(case, &[schedule]).await;
    key
}

fn payload() -> serde_json::Value {
    serde_json::json!({ "note": "it's \"urgent\" 🦀", "tries": [1, null] })
}

async fn replace(case: &Case, before: &Task, after: Option<&Task>) -> bool {
    case.store().replace_task(before, after, None).await.unwrap()
}

async fn change(case: &Case, changes: &[TaskChange]) {
    let mut commit = case.shop.commit(case.shop.at(1));
    commit.tasks = changes.to_vec();
    case.accept(commit).await;
}

async fn lease(case: &Case, at: i64, until: i64, limit: u16) -> Vec<Task> {
    case.store().lease_tasks(case.shop.at(at), case.shop.at(until), limit).await.unwrap()
}
