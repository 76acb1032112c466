//! Lists of keys are padded, so that few statements are prepared.

use super::{Bulk, Mysql, padded};
use crate::statement::pieces;

#[test]
fn lists_have_few_lengths_and_never_more_values_than_a_statement_takes() {
    let lengths = [(1, 1), (2, 2), (3, 4), (100, 128), (32_769, 65_535), (65_535, 65_535)];
    for (count, expected) in lengths {
        assert_eq!(padded(count, 1), expected, "{count} keys");
    }
    assert_eq!(padded(1, 2), 2, "a single tuple is scanned for");
    assert_eq!(padded(20_000, 3), 21_845);
    assert_eq!(padded(64_000, 2), 64_000);
}

#[test]
fn pieces_have_few_lengths_and_are_in_order() {
    let lengths: [(usize, &[usize]); 5] =
        [(0, &[]), (11, &[11]), (26, &[16, 10]), (95, &[80, 15]), (300, &[256, 32, 12])];
    for (count, expected) in lengths {
        let rows: Vec<usize> = (0..count).collect();
        let pieces: Vec<&[usize]> = pieces::<Mysql, _>(&rows, Mysql::MOST_INSERTED).collect();
        assert_eq!(pieces.iter().map(|piece| piece.len()).collect::<Vec<_>>(), expected);
        assert_eq!(pieces.concat(), rows);
    }
}
