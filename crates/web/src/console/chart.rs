//! Charts, drawn by the server: bars that stand on each other, as SVG. No script, no library, and nothing inline that the
//! policy would refuse.

use carillon_model::Timestamp;

/// How wide a chart is, in its own units.
const WIDTH: u64 = 960;
/// How high a chart is.
const HEIGHT: u64 = 180;
/// How many moments stand below.
const LABELS: usize = 5;

/// A part of a bar.
pub(crate) struct Piece {
    /// Its class in the stylesheet.
    pub(crate) tone: &'static str,
    pub(crate) y: u64,
    pub(crate) height: u64,
}

/// A bar: one step.
pub(crate) struct Bar {
    pub(crate) x: u64,
    pub(crate) width: u64,
    /// What it shows, to whoever rests on it.
    pub(crate) title: String,
    pub(crate) pieces: Vec<Piece>,
}

/// A line across, with what it stands for.
pub(crate) struct Line {
    pub(crate) y: u64,
    pub(crate) value: u64,
}

/// A chart.
pub(crate) struct Chart {
    pub(crate) width: u64,
    pub(crate) height: u64,
    pub(crate) bars: Vec<Bar>,
    pub(crate) lines: Vec<Line>,
    /// The moments below, evenly spaced from the first step to the end.
    pub(crate) moments: Vec<Timestamp>,
}

/// The next number that stands well beside a line, and whose half does.
fn round_up(value: u64) -> u64 {
    let mut unit = 1_u64;
    if let Some(small) = [1, 2, 4, 6, 8, 10].into_iter().find(|small| *small >= value) {
        return small;
    }
    loop {
        for lead in [12, 16, 20, 30, 40, 60, 80, 100] {
            let round = unit.saturating_mul(lead);
            if round >= value {
                return round;
            }
        }
        unit = unit.saturating_mul(10);
    }
}

/// Draws steps of numbers, each with its classes from the bottom up; `title` says what a step shows.
pub(crate) fn stacked(
    steps: &[Vec<(&'static str, u64)>],
    since: Timestamp,
    step_ms: i64,
    title: impl Fn(usize) -> String,
) -> Chart {
    let tallest = steps.iter().map(|step| step.iter().map(|(_tone, count)| count).sum()).max().unwrap_or(0);
    let top = round_up(tallest.max(1));
    let each = WIDTH / u64::try_from(steps.len()).unwrap_or(1).max(1);
    let mut bars = Vec::new();
    let mut x = 0;
    for (at, step) in steps.iter().enumerate() {
        let mut pieces = Vec::new();
        let mut y = HEIGHT;
        for (tone, count) in step.iter().filter(|(_tone, count)| *count > 0) {
            // The smallest number is still to be seen.
            let height = (count * HEIGHT / top).max(2).min(y);
            y -= height;
            pieces.push(Piece { tone, y, height });
        }
        bars.push(Bar { x, width: each.saturating_sub(each / 5).max(1), title: title(at), pieces });
        x += each;
    }
    let lines = [top, top / 2].into_iter().filter(|value| *value > 0);
    let lines = lines.map(|value| Line { y: HEIGHT - value * HEIGHT / top, value }).collect();
    let whole = step_ms * i64::try_from(steps.len()).unwrap_or(0);
    let last = i64::try_from(LABELS - 1).unwrap_or(1);
    let moments = (0..=last).map(|at| Timestamp(since.0 + whole * at / last)).collect();
    Chart { width: x, height: HEIGHT, bars, lines, moments }
}

#[cfg(test)]
mod tests {
    use carillon_model::Timestamp;

    use super::{round_up, stacked};

    #[test]
    fn the_top_is_a_round_number() {
        assert_eq!([1, 2, 3, 6, 10, 11, 51, 1_010].map(round_up), [1, 2, 4, 6, 10, 12, 60, 1_200]);
    }

    #[test]
    fn pieces_stand_on_each_other_and_stay_inside() {
        let steps = vec![vec![("ok", 90), ("bad", 1)], vec![], vec![("ok", 0), ("bad", 100)]];
        let chart = stacked(&steps, Timestamp(0), 1000, |at| at.to_string());
        assert_eq!((chart.bars.len(), chart.width, chart.lines.len(), chart.moments.len()), (3, 960, 2, 5));
        let first: Vec<_> = chart.bars[0].pieces.iter().map(|it| (it.tone, it.y, it.height)).collect();
        assert_eq!(first, [("ok", 18, 162), ("bad", 16, 2)], "the top is 100");
        assert_eq!(chart.bars[2].pieces.iter().map(|it| (it.y, it.height)).collect::<Vec<_>>(), [(0, 180)]);
        assert_eq!(chart.moments.last(), Some(&Timestamp(3000)));
        let nothing = stacked(&[], Timestamp(0), 1000, |at| at.to_string());
        assert!(nothing.bars.is_empty());
    }
}
