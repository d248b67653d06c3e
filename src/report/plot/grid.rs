//! Timelines of several runs on one grid of time, so that they can be drawn, stacked and averaged together.

use crate::report::load::{Bin, Run, Series, Timeline};

/// More columns than this cannot be told apart on a page.
const MOST_COLUMNS: usize = 480;

/// Columns of equal width from 0 to the end of the longest run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    /// Where the last column ends, in seconds.
    pub(super) end: f64,
    columns: usize,
}

/// For each column the mean over the runs that had not ended, the least and the most of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Band {
    pub(super) mean: f64,
    pub(super) least: f64,
    pub(super) most: f64,
}

impl Grid {
    /// A grid for all of these runs: their own bins if these are few enough.
    pub(super) fn over<'a>(runs: impl Iterator<Item = &'a Run>) -> Grid {
        let (mut end, mut bin) = (0.0f64, f64::INFINITY);
        for run in runs {
            end = end.max(run.timeline.end);
            bin = bin.min(run.timeline.bin_seconds);
        }
        let bins = (end / bin).ceil();
        if bins <= MOST_COLUMNS as f64 {
            Grid { end: bins * bin, columns: (bins as usize).max(1) }
        } else {
            Grid { end, columns: MOST_COLUMNS }
        }
    }

    /// Where a column starts, in seconds.
    pub(super) fn start(&self, column: usize) -> f64 {
        self.width() * column as f64
    }

    fn width(&self) -> f64 {
        self.end / self.columns as f64
    }

    /// The time-weighted means of one series in each column; nothing from the end of its run on.
    /// Time for which the series has no bin counts as 0.
    pub(super) fn resample(
        &self,
        run: &Timeline,
        series: &Series,
        value: impl Fn(&Bin) -> f64,
    ) -> Vec<Option<f64>> {
        let mut sums = vec![0.0; self.columns];
        for bin in &series.bins {
            let end = (bin.time + run.bin_seconds).min(run.end);
            self.spread(bin.time, end, value(bin), &mut sums);
        }
        let mean = |(column, sum)| {
            let covered = self.start(column + 1).min(run.end) - self.start(column);
            (covered > self.width() * 1e-6).then(|| sum / covered)
        };
        sums.into_iter().enumerate().map(mean).collect()
    }

    /// Adds `value` times the seconds that each column shares with `from..to`.
    fn spread(&self, from: f64, to: f64, value: f64, sums: &mut [f64]) {
        let first = ((from / self.width()) as usize).min(self.columns - 1);
        for (column, sum) in sums.iter_mut().enumerate().skip(first) {
            let shared = to.min(self.start(column + 1)) - from.max(self.start(column));
            if shared > 0.0 {
                *sum += value * shared;
            } else if self.start(column) >= to {
                break;
            }
        }
    }

    /// Mean, least and most over several runs, column by column.
    pub(super) fn band(&self, runs: &[Vec<Option<f64>>]) -> Vec<Option<Band>> {
        let column = |column| {
            let values = || runs.iter().filter_map(|run: &Vec<Option<f64>>| run[column]);
            let count = values().count();
            (count > 0).then(|| Band {
                mean: values().sum::<f64>() / count as f64,
                least: values().fold(f64::INFINITY, f64::min),
                most: values().fold(f64::NEG_INFINITY, f64::max),
            })
        };
        (0..self.columns).map(column).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(values: &[f64]) -> Series {
        let bin = |(n, &allocated)| Bin { time: n as f64 * 10.0, total: 8.0, offered: 0.0, allocated };
        Series {
            resource: "cpus".into(),
            role: "(all)".into(),
            bins: values.iter().enumerate().map(bin).collect(),
        }
    }

    #[test]
    fn resampling_keeps_the_area_below_the_line() {
        let run = Timeline { series: vec![], bin_seconds: 10.0, end: 35.0 };
        let grid = Grid { end: 45.0, columns: 3 };
        let columns = grid.resample(&run, &series(&[1.0, 2.0, 3.0, 4.0]), |bin| bin.allocated);
        assert_eq!(columns, [Some(20.0 / 15.0), Some(40.0 / 15.0), Some(4.0)]);
    }

    #[test]
    fn a_run_that_ended_has_no_part_in_the_mean() {
        let grid = Grid { end: 2.0, columns: 2 };
        let band = grid.band(&[vec![Some(1.0), None], vec![Some(3.0), Some(5.0)]]);
        assert_eq!(band[0], Some(Band { mean: 2.0, least: 1.0, most: 3.0 }));
        assert_eq!(band[1], Some(Band { mean: 5.0, least: 5.0, most: 5.0 }));
    }
}
