use super::*;

#[test]
fn the_help_tells_what_is_built_in() {
    let help = crate::config::command().render_long_help().to_string();
    let DatabaseOptions { writers, readers, connect_timeout, statement_timeout, .. } =
        Connections::default().options(true);
    for words in [
        format!("that write [default: {writers}]"),
        format!("that read [default: {readers}]"),
        format!("for connecting [default: {}s]", connect_timeout.as_secs()),
        format!("of a statement [default: {}s]", statement_timeout.as_secs()),
    ] {
        assert!(help.contains(&words), "{words}: {help}");
    }
}
