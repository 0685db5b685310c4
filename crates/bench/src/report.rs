//! What is printed.

use std::fmt::Display;
use std::time::Duration;

use crate::server::Used;

/// One line of the report.
#[expect(clippy::print_stdout, reason = "the report is what this program is for")]
pub(crate) fn line(text: impl Display) {
    println!("{text}");
}

/// The headline of a scenario.
pub(crate) fn title(text: impl Display) {
    line(format_args!("\n== {text}"));
}

/// A figure beside its goal.
pub(crate) fn figure(name: &str, value: impl Display, goal: &str, met: bool) {
    let mark = if met { "meets" } else { "MISSES" };
    line(format_args!("   {name:<44} {value:>16}   {mark} {goal}"));
}

/// A figure without a goal.
pub(crate) fn plain(name: &str, value: impl Display) {
    line(format_args!("   {name:<44} {value:>16}"));
}

/// The value at `share` of sorted values, in the values' unit.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an index within the list"
)]
pub(crate) fn quantile(sorted: &[u64], share: f64) -> u64 {
    let place = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(place.saturating_sub(1).min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
}

/// Microseconds as milliseconds.
#[expect(clippy::cast_precision_loss, reason = "durations of a benchmark are far below 2^52 microseconds")]
pub(crate) fn ms(us: u64) -> String {
    format!("{:.2} ms", us as f64 / 1000.0)
}

/// A longer time.
pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

/// Bytes as MiB.
#[expect(clippy::cast_precision_loss, reason = "sizes of a benchmark are far below 2^52 bytes")]
pub(crate) fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / 1_048_576.0)
}

/// `part` for each of `count`.
#[expect(clippy::cast_precision_loss, reason = "counts of a benchmark are far below 2^52")]
pub(crate) fn each(part: u64, count: u64) -> f64 {
    part as f64 / count.max(1) as f64
}

/// What the server used between two looks, for each of `count` deliveries; the goal is in microseconds.
pub(crate) fn cost(before: Used, after: Used, count: u64, goal_us: Option<f64>) {
    let cpu = each(after.cpu_us - before.cpu_us, count);
    match goal_us {
        Some(goal) => figure(
            "server CPU for each delivery",
            format!("{cpu:.1} us"),
            &format!("at most {goal} us"),
            cpu <= goal,
        ),
        None => plain("server CPU for each delivery", format!("{cpu:.1} us")),
    }
    plain("bytes written for each delivery", format!("{:.0}", each(after.written - before.written, count)));
    plain("most memory in use", mib(after.resident_max));
}

/// Which machine this is.
pub(crate) fn machine() {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let model = model.map_or("an unknown processor", |(_, name)| name.trim());
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().next().unwrap_or("?");
    line(format_args!("{cores} cores of {model}, load before: {load}"));
}

#[cfg(test)]
mod tests {
    use super::quantile;

    #[test]
    fn a_quantile_is_one_of_the_values() {
        let values: Vec<u64> = (1..=100).collect();
        assert_eq!([0.0, 0.5, 0.99, 1.0].map(|share| quantile(&values, share)), [1, 50, 99, 100]);
        assert_eq!((quantile(&[], 0.5), quantile(&[7], 0.01)), (0, 7));
    }
}
