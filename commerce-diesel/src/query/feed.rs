//! The feed: all events, in the order in which they became visible.

use super::{Answer, Conn, dialect};
use crate::rows::event::NewEventRow;
use crate::rows::size;

/// Appends events. This blocks others that append until the transaction ends, so it comes last.
pub(super) async fn append(conn: &mut Conn, mut events: Vec<NewEventRow<'_>>) -> Answer<()> {
    if events.is_empty() {
        return Ok(());
    }
    let count = size(events.len());
    for (event, number) in events.iter_mut().zip(1..) {
        event.position = number - count;
    }
    dialect::pipeline!(conn; () = dialect::advance(conn, count), () = dialect::append_behind(conn, events));
    Ok(())
}
