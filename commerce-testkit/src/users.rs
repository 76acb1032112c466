use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use commerce_core::ids::UserId;
use commerce_core::port::{AccountStatus, Users, UsersUnavailable};

/// A users service with a set of users. It can be made unavailable.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use commerce_core::port::Users;
/// use commerce_testkit::FakeUsers;
/// use commerce_testkit::commit_builder::parse;
///
/// let users = FakeUsers::knowing(["ann", "bob"].map(parse));
/// assert!(users.exists(&parse("ann")).await.unwrap());
/// assert!(!users.exists(&parse("eve")).await.unwrap());
/// users.go_down();
/// assert!(users.exists(&parse("ann")).await.is_err());
/// # });
/// ```
#[derive(Debug, Default)]
pub struct FakeUsers(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    known: BTreeSet<UserId>,
    statuses: BTreeMap<UserId, AccountStatus>,
    is_down: bool,
}

impl FakeUsers {
    /// A service with these users.
    pub fn knowing(users: impl IntoIterator<Item = UserId>) -> Self {
        Self(Mutex::new(State { known: users.into_iter().collect(), ..State::default() }))
    }

    /// Adds a user.
    pub fn add(&self, user: UserId) {
        self.state().known.insert(user);
    }

    /// Gives the account of a user a status. That of others is active.
    pub fn set_status(&self, user: UserId, status: AccountStatus) {
        self.state().statuses.insert(user, status);
    }

    /// Removes a user.
    pub fn remove(&self, user: &UserId) {
        self.state().known.remove(user);
    }

    /// Makes the service unavailable.
    pub fn go_down(&self) {
        self.state().is_down = true;
    }

    /// Makes the service available again.
    pub fn come_up(&self) {
        self.state().is_down = false;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Users for FakeUsers {
    async fn exists(&self, user: &UserId) -> Result<bool, UsersUnavailable> {
        let state = self.state();
        if state.is_down {
            return Err(UsersUnavailable("the users service was told to be down".into()));
        }
        Ok(state.known.contains(user))
    }

    async fn account_status(&self, user: &UserId) -> Result<Option<AccountStatus>, UsersUnavailable> {
        let exists = self.exists(user).await?;
        let status = self.state().statuses.get(user).copied().unwrap_or(AccountStatus::Active);
        Ok(exists.then_some(status))
    }
}
