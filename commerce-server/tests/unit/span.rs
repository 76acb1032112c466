use super::*;

#[test]
fn a_span_has_a_unit() {
    for (text, seconds) in [("0s", 0), ("90s", 90), ("30m", 1_800), ("2h", 7_200), ("14d", 1_209_600)] {
        assert_eq!(text.parse::<DurationText>().map(DurationText::whole_seconds), Ok(seconds), "{text}");
    }
}

#[test]
fn anything_else_is_refused() {
    for text in ["", "m", "30", "-3m", "1.5h", "+3m", "3 m", "3w", "99999999d", "3mm"] {
        assert_eq!(text.parse::<DurationText>(), Err(ParseDurationError), "{text}");
    }
}
