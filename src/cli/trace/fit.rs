//! `mesosim trace fit`: the generator that makes jobs like those of a trace, and how like they are.

use std::{fmt::Write, fs, path::PathBuf, process::ExitCode};

use comfy_table::{Cell, CellAlignment, Table, presets};
use mesosim_traces::{Format, Options as Reading, Quality, Trace, TraceError};

use super::charts;
use crate::{
    cli::{CommandError, stop_at_interrupt},
    engine::random::Seed,
    experiment::config::Duration,
    fit::{
        self, ClassFit, Fit, Options, QuantityFit,
        arrivals::{ArrivalFit, Fitted, Shape},
        block,
        goodness::{Probabilities, ad_probability, ks_probability},
        sample::Collector,
        serial::significant,
    },
    report::{
        self,
        units::{count, duration},
    },
    workload::generator::{
        class::Quantity,
        marginal::{Marginal, Weighted},
    },
};

#[derive(Debug, clap::Args)]
pub(super) struct FitArguments {
    /// Files or directories of one trace
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The format of the trace [default: recognised from its content]
    #[arg(long, value_name = "NAME")]
    format: Option<String>,
    /// Write the generator here, as TOML that an experiment file can take [default: print it]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Draw figures into this directory
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
    /// Fit each class of jobs for itself
    #[arg(long)]
    by_class: bool,
    /// Follow the rate of arrivals of the trace in steps of this length, instead of by day and week
    #[arg(long, value_name = "DURATION")]
    steps: Option<Duration>,
    /// Seed of the samples that goodness of fit is compared with
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

pub(super) fn fit(arguments: &FitArguments) -> Result<ExitCode, CommandError> {
    let (collector, quality) = read(arguments)?;
    let sample = collector.finish();
    if sample.jobs.is_empty() {
        return Err(TraceError::Unusable(
            "the trace has no job with a task, so there is nothing to fit".to_owned(),
        )
        .into());
    }
    let step = arguments.steps.map(|step| step.0.as_secs_f64().max(1.0));
    let options = Options {
        seed: Seed(arguments.seed),
        shape: step.map_or(Shape::Cycles, Shape::Steps),
        by_class: arguments.by_class,
    };
    let fit = fit::fit(&sample, &options);
    tell(&fit, &quality);
    if let Some(directory) = &arguments.plots {
        let files = report::draw_charts(directory, &charts::charts(&fit));
        let files = files.map_err(|error| CommandError::Plots(Box::new(error)))?;
        say!("\n{} figures: {}", files.len(), directory.display());
    }
    let text = block::text(block::generator(&fit)).map_err(TraceError::Unusable)?;
    match &arguments.output {
        None => say!("\n{text}"),
        Some(path) => {
            fs::write(path, text).map_err(|source| TraceError::Write { path: path.clone(), source })?;
            say!("\nGenerator: {}", path.display());
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn read(arguments: &FitArguments) -> Result<(Collector, Quality), TraceError> {
    let format = arguments.format.as_deref().map(Format::named).transpose()?;
    let mut found = Trace::find(&arguments.paths, format)?;
    if found.traces.len() > 1 {
        let names = found.traces.iter().take(3).map(|trace| trace.files[0].0.path.display().to_string());
        let names = names.collect::<Vec<_>>().join(", ");
        return Err(TraceError::Unusable(format!(
            "{} traces are named ({names}, …): one is fitted at a time",
            found.traces.len()
        )));
    }
    let stop = stop_at_interrupt();
    let mut collector = Collector::default();
    let options = Reading { usage: false, ..Reading::default() };
    let mut go_on = |_| !stop.load(std::sync::atomic::Ordering::Relaxed);
    let quality = found.traces.remove(0).read(&options, &mut collector, &mut go_on)?;
    Ok((collector, quality))
}

fn tell(fit: &Fit, quality: &Quality) {
    say!("{} jobs of {} rows.", count(fit.jobs as f64), count(quality.rows() as f64));
    if quality.rejected() > 0 {
        say!("{} rows were rejected: `mesosim trace inspect` names them.", count(quality.rejected() as f64));
    }
    if fit.censored > 0 {
        let tasks = count(fit.censored as f64);
        say!(
            "{tasks} tasks were not over when the trace ended: how long they run is not known, and was left out."
        );
    }
    say!("{:.0} % of the variance of ln(run time) lies between tasks of the same job.", fit.within * 100.0);
    match &fit.arrivals {
        Some(arrivals) => say!("\n{}", arrivals_text(arrivals)),
        None => say!(
            "\nToo few jobs say when they were submitted: arrivals are not fitted, and one comes each minute."
        ),
    }
    for class in &fit.classes {
        say!("\n{}", class_text(class));
    }
    say!(
        "\nD: Kolmogorov-Smirnov, A²: Anderson-Darling. p: a parametric bootstrap with a part of the sample (in brackets), \
         which allows for the parameters having been estimated; p known: as if they had been known before."
    );
}

fn table(header: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(header.iter().map(Cell::new));
    table.add_rows(rows);
    for place in 1..header.len() {
        if let Some(column) = table.column_mut(place) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

fn arrivals_text(fit: &ArrivalFit) -> String {
    let mut text = format!(
        "Arrivals: {} in {}, one in {} on average; times are multiples of {}.\n",
        count(fit.jobs as f64),
        duration(fit.span),
        duration(fit.interarrival),
        duration(fit.resolution)
    );
    let correlations = |series: &[f64]| {
        [1, 2, 5, 10].map(|lag| format!("{:.3}", series.get(lag - 1).copied().unwrap_or(0.0))).join(", ")
    };
    let _ = writeln!(text, "  squared variation of gaps {:.2} (1 if exponential)", fit.variation);
    let _ = writeln!(
        text,
        "  autocorrelation of gaps at lags 1, 2, 5, 10: {} (beyond {:.3}: significant at 5 %)",
        correlations(&fit.gap_correlation),
        significant(fit.jobs)
    );
    for (window, index) in &fit.dispersion {
        let _ = writeln!(
            text,
            "  index of dispersion of counts per {}: {index:.1} (1 if Poisson)",
            duration(*window)
        );
    }
    for (period, weights) in &fit.cycles {
        let most = weights.iter().copied().fold(0.0, f64::max);
        let least = weights.iter().copied().fold(f64::INFINITY, f64::min);
        let (steps, period) = (weights.len(), duration(*period));
        let _ = writeln!(
            text,
            "  a cycle of {period} in {steps} steps, from {least:.2} to {most:.2} of the mean rate"
        );
    }
    if !fit.cycles.is_empty() {
        let gone = correlations(&fit.stretched_correlation);
        let _ = writeln!(text, "  autocorrelation of gaps with the cycles taken out: {gone}");
    }
    let rows = fit.processes.iter().map(|process| {
        let mut row = vec![format!("  {}", process.name), parameters(&process.process)];
        row.extend([process.ln_likelihood, process.aic, process.bic].map(|number| format!("{number:.0}")));
        row.push(format!("{:.4}", process.distances.ks));
        row.push(format!("{:.2}", process.distances.ad));
        row.extend(probabilities(process.probabilities));
        row
    });
    let header = ["  process", "parameters", "ln L", "AIC", "BIC", "D", "A²", "p of D", "p of A²"];
    text + &table(&header, rows.collect())
}

fn parameters(process: &Fitted) -> String {
    match process {
        Fitted::Renewal(marginal) => marginal_text(marginal),
        Fitted::Bursty(states) => {
            let [a, b] = states.rates;
            let [s, t] = states.leaving.map(|leaving| 1.0 / leaving);
            format!("rates {a:.3}, {b:.3} for {s:.1}, {t:.1} gaps")
        }
    }
}

fn probabilities(p: Option<Probabilities>) -> [String; 2] {
    p.map_or_else(
        || ["".to_owned(), "".to_owned()],
        |p| [p.ks, p.ad].map(|value| format!("{value:.3} ({})", p.of)),
    )
}

fn class_text(class: &ClassFit) -> String {
    let mut text = format!("Class `{}`: {} jobs", class.name, count(class.jobs as f64));
    if let Some((users, exponent)) = class.users {
        let _ = write!(
            text,
            " of {} users, whose shares fall with the power {exponent:.2}",
            count(f64::from(users))
        );
    }
    let _ = writeln!(text, ".");
    let rows = class.quantities.iter().map(summary_row).collect();
    let header = [
        "  quantity",
        "numbers",
        "zeros",
        "median",
        "mean",
        "p99",
        "chosen",
        "D",
        "p of D",
        "p of A²",
        "p known",
    ];
    let _ = writeln!(text, "{}", table(&header, rows));
    for quantity in class.quantities.iter().filter(|quantity| !quantity.candidates.is_empty()) {
        let _ = writeln!(text, "{}", candidates_table(quantity));
    }
    if !class.correlations.is_empty() {
        let rows = class.correlations.iter().map(|pair| {
            let [a, b] = pair.between.map(Quantity::as_str);
            vec![format!("  {a} and {b}"), format!("{:.3}", pair.ranks), format!("{:.3}", pair.normals)]
        });
        let _ = writeln!(text, "{}", table(&["  together", "of ranks", "of the copula"], rows.collect()));
    }
    text.trim_end().to_owned()
}

fn summary_row(fit: &QuantityFit) -> Vec<String> {
    let at = |share: f64| fit.sample[((fit.sample.len() - 1) as f64 * share) as usize];
    let mean = fit.sample.iter().sum::<f64>() / fit.sample.len() as f64;
    let mut row = vec![
        format!("  {}", fit.quantity.as_str()),
        count(fit.count as f64),
        format!("{:.1} %", fit.zeros * 100.0),
    ];
    row.extend([at(0.5), mean, at(0.99)].map(|value| amount(fit.quantity, value)));
    row.extend([fit.name.to_owned(), format!("{:.4}", fit.distances.ks)]);
    row.extend(probabilities(fit.probabilities));
    let known = fit.probabilities.map(|_| {
        format!(
            "{:.3}, {:.3}",
            ks_probability(fit.distances.ks, fit.sample.len()),
            ad_probability(fit.distances.ad)
        )
    });
    row.push(known.unwrap_or_default());
    row
}

fn amount(quantity: Quantity, value: f64) -> String {
    match quantity {
        Quantity::Duration => duration(value),
        Quantity::Mem | Quantity::Disk => report::units::bytes(value * f64::from(1u32 << 20)),
        Quantity::Tasks | Quantity::Cpus | Quantity::Gpus => format!("{value:.2}"),
    }
}

fn candidates_table(fit: &QuantityFit) -> String {
    let positive = &fit.sample[fit.sample.partition_point(|&x| x <= 0.0)..];
    let rows = fit.candidates.iter().map(|candidate| {
        let found = fit::goodness::distances(positive, |x| candidate.marginal.cdf(x));
        let mut row = vec![format!("    {}", candidate.family), marginal_text(&candidate.marginal)];
        row.extend(
            [candidate.ln_likelihood, candidate.aic, candidate.bic].map(|number| format!("{number:.0}")),
        );
        row.extend([format!("{:.4}", found.ks), format!("{:.1}", found.ad)]);
        row
    });
    let first = format!("  {} as", fit.quantity.as_str());
    table(&[&first, "parameters", "ln L", "AIC", "BIC", "D", "A²"], rows.collect())
}

fn marginal_text(marginal: &Marginal) -> String {
    match marginal {
        Marginal::Constant(value) => format!("{value:.4}"),
        Marginal::Uniform { low, high } => format!("from {low:.4} to {high:.4}"),
        Marginal::Exponential { mean } => format!("mean {mean:.4}"),
        Marginal::LogNormal { mu, sigma } => format!("mu {mu:.4}, sigma {sigma:.4}"),
        Marginal::Weibull { scale, shape } | Marginal::Gamma { scale, shape } => {
            format!("scale {scale:.4}, shape {shape:.4}")
        }
        Marginal::Pareto { low, high, shape } => format!("from {low:.4} to {high:.1}, shape {shape:.4}"),
        Marginal::Mixture(parts) => {
            let part = |part: &Weighted| format!("{:.3} of {}", part.share, marginal_text(&part.of));
            parts.iter().map(part).collect::<Vec<_>>().join("; ")
        }
        Marginal::Listed(listed) => format!("{} numbers", listed.shares().count()),
        Marginal::Quantiles(values) => format!("{} quantiles", values.len()),
        Marginal::Clamped { of, .. } => marginal_text(of),
    }
}
