use super::*;

#[test]
fn the_help_tells_what_is_built_in() {
    let help = crate::config::command().render_long_help().to_string();
    let DatabaseOptions { writers, readers, connect_timeout, statement_timeout, .. } = Connections::default().options();
    for words in [
        format!("how many write [default: {writers}]"),
        format!("how many read [default: {readers}]"),
        format!("to connect [default: {}s]", connect_timeout.as_secs()),
        format!("for one statement [default: {}s]", statement_timeout.as_secs()),
    ] {
        assert!(help.contains(&words), "{words}: {help}");
    }
}
