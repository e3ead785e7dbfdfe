//! How long to wait before the next attempt to connect.

const FIRST_MS: f64 = 250.0;
const LONGEST_MS: f64 = 10_000.0;

/// A link that has worked for so long was a good one.
const HEALTHY_SECONDS: f64 = 5.0;

/// The number of the next attempt, after a link that worked for `seconds` from its snapshot on. One that breaks at once,
/// again and again, is waited for longer and longer, though each of them came about.
pub fn next_attempt(attempt: u32, seconds: f64) -> u32 {
    match seconds >= HEALTHY_SECONDS {
        true => 1,
        false => attempt.saturating_add(1),
    }
}

/// Milliseconds before attempt `attempt` (from 1). `random` is from 0 to 1: it spreads the pages of many users, so
/// that a server that comes back is not asked by all of them at once.
pub fn delay_ms(attempt: u32, random: f64) -> u32 {
    let doubled = FIRST_MS * 2f64.powi(attempt.saturating_sub(1).min(30) as i32);
    let limited = doubled.min(LONGEST_MS);
    (limited * (0.5 + 0.5 * random.clamp(0.0, 1.0))) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_link_that_worked_for_a_while_starts_the_count_anew() {
        assert_eq!(next_attempt(0, 0.0), 1);
        assert_eq!(next_attempt(7, 0.2), 8);
        assert_eq!(next_attempt(7, 5.0), 1);
        assert_eq!(next_attempt(u32::MAX, 0.0), u32::MAX);
    }

    #[test]
    fn the_wait_doubles_up_to_its_limit_and_is_spread() {
        assert_eq!([1, 2, 3].map(|n| delay_ms(n, 1.0)), [250, 500, 1000]);
        assert_eq!(delay_ms(1, 0.0), 125);
        assert_eq!(delay_ms(40, 1.0), 10_000);
        assert_eq!(delay_ms(u32::MAX, 0.0), 5_000);
        assert_eq!(delay_ms(0, 1.0), 250);
    }
}
