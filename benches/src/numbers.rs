//! Times and counts as whole numbers.

use std::time::Duration;

/// A percentile of sorted values.
pub fn percentile(sorted: &[u64], percent: usize) -> u64 {
    let place = sorted.len() * percent / 100;
    sorted.get(place).or(sorted.last()).copied().unwrap_or_default()
}

/// The median, of values in any order.
pub fn median(values: impl IntoIterator<Item = u64>) -> u64 {
    let mut sorted: Vec<u64> = values.into_iter().collect();
    sorted.sort_unstable();
    percentile(&sorted, 50)
}

/// A duration in microseconds.
pub fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// A number in tenths, hundredths and so on.
pub fn decimal(n: u64, places: u32) -> String {
    let one = 10_u64.pow(places);
    match usize::try_from(places) {
        Ok(width @ 1..) => format!("{}.{:0width$}", n / one, n % one),
        _ => n.to_string(),
    }
}
