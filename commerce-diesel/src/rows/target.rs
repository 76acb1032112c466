//! How far targets have confirmed the feed.

use commerce_core::publishing::{Lease, TargetState};
use diesel::prelude::*;
use uuid::Uuid;

use super::{counter, micros, read, read_counter, read_instant, read_instant_option};
use crate::fault::{Answer, Fault};
use crate::schema::publish_targets;

#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = publish_targets, treat_none_as_null = true)]
pub(crate) struct TargetRow {
    name: String,
    position: i64,
    version: i64,
    holder: Option<String>,
    leased_until: Option<i64>,
    failures: i64,
    failing_since: Option<i64>,
    retry_at: Option<i64>,
    last_error: Option<String>,
}

impl TargetRow {
    pub(crate) fn of(state: &TargetState) -> Self {
        Self {
            name: state.name.to_string(),
            position: counter(state.position),
            version: counter(state.version),
            holder: state.lease.map(|lease| lease.holder.to_string()),
            leased_until: state.lease.map(|lease| micros(lease.until)),
            failures: state.failures.into(),
            failing_since: state.failing_since.map(micros),
            retry_at: state.retry_at.map(micros),
            last_error: state.last_error.clone(),
        }
    }

    pub(crate) fn into_state(self) -> Answer<TargetState> {
        let lease = self.holder.as_deref().zip(self.leased_until).map(|(holder, until)| {
            let holder = Uuid::try_parse(holder).map_err(|_| Fault::Corrupt("publish_targets.holder"))?;
            Ok::<_, Fault>(Lease { holder, until: read_instant("publish_targets.leased_until", until)? })
        });
        Ok(TargetState {
            name: read("publish_targets.name", &self.name)?,
            position: read_counter("publish_targets.position", self.position)?,
            version: read_counter("publish_targets.version", self.version)?,
            lease: lease.transpose()?,
            failures: u32::try_from(self.failures).map_err(|_| Fault::Corrupt("publish_targets.failures"))?,
            failing_since: read_instant_option("publish_targets.failing_since", self.failing_since)?,
            retry_at: read_instant_option("publish_targets.retry_at", self.retry_at)?,
            last_error: self.last_error,
        })
    }
}
