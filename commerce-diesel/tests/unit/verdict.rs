//! Each row of the tables of errors, as the drivers report it.

use super::*;

#[cfg(feature = "mysql")]
mod mysql {
    use mysql_async::ServerError;

    use super::*;

    #[track_caller]
    fn check(code: u16, message: &str, expected: Option<Verdict>) {
        let error = ServerError { code, message: message.to_owned(), state: "HY000".to_owned() };
        assert_eq!(verdict(MYSQL, &crate::mysql::from_server(error)), expected);
    }

    #[test]
    fn a_deadlock_is_a_conflict_in_every_language() {
        check(1213, "Deadlock found when trying to get lock; try restarting transaction", Some(Verdict::Conflict));
        check(1213, "Versuche, die Transaktion neu zu starten", Some(Verdict::Conflict));
    }

    #[test]
    fn a_member_of_group_replication_reports_a_conflict() {
        let text = "Plugin instructed the server to rollback the current transaction.";
        check(3101, text, Some(Verdict::Conflict));
    }

    #[test]
    fn a_deadlock_at_commit_is_a_conflict() {
        let text = "Got error 149 - 'Lock deadlock; Retry transaction' during COMMIT";
        check(1180, text, Some(Verdict::Conflict));
    }

    #[test]
    fn a_commit_of_a_node_that_left_its_cluster_is_unknown() {
        let text = "Got error 107 \"Not connected to Primary Component\" during COMMIT";
        check(1180, text, Some(Verdict::Unknown));
    }

    #[test]
    fn a_transaction_without_its_savepoint_was_rolled_back() {
        check(1305, "SAVEPOINT begun does not exist", Some(Verdict::Conflict));
        check(1305, "FUNCTION shop.MD5 does not exist", None);
    }

    #[test]
    fn a_node_outside_of_its_cluster_runs_nothing() {
        let text = "WSREP has not yet prepared node for application use";
        check(1047, text, Some(Verdict::NotServed));
    }

    #[test]
    fn a_read_only_server_runs_nothing() {
        check(1290, "The MariaDB server is running with the --read-only option", Some(Verdict::NotServed));
        check(1836, "Running in read-only mode", Some(Verdict::NotServed));
    }

    #[test]
    fn other_errors_have_no_verdict() {
        check(1064, "You have an error in your SQL syntax", None);
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use super::*;

    #[track_caller]
    fn check(kind: DatabaseErrorKind, message: &str, expected: Option<Verdict>) {
        assert_eq!(verdict(POSTGRES, &Error::DatabaseError(kind, Box::new(message.to_owned()))), expected);
    }

    #[test]
    fn a_serialization_failure_is_a_conflict() {
        check(DatabaseErrorKind::SerializationFailure, "could not serialize access", Some(Verdict::Conflict));
    }

    #[test]
    fn a_deadlock_is_a_conflict() {
        check(DatabaseErrorKind::Unknown, "deadlock detected", Some(Verdict::Conflict));
    }

    #[test]
    fn a_standby_runs_nothing() {
        let text = "cannot execute UPDATE in a read-only transaction";
        check(DatabaseErrorKind::ReadOnlyTransaction, text, Some(Verdict::NotServed));
    }

    #[test]
    fn a_commit_during_a_shutdown_is_unknown() {
        let text = "terminating connection due to administrator command";
        check(DatabaseErrorKind::Unknown, text, Some(Verdict::Unknown));
    }

    #[test]
    fn a_commit_that_no_standby_confirmed_is_not_replicated() {
        check(DatabaseErrorKind::Unknown, NOT_REPLICATED, Some(Verdict::NotReplicated));
    }

    #[test]
    fn other_errors_have_no_verdict() {
        check(DatabaseErrorKind::UniqueViolation, "duplicate key", None);
    }
}
