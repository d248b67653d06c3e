//! From `[workload.generator]` to what draws: files are read, shares made fractions, classes given to frameworks.

use std::{path::Path, sync::Arc};

use mesos::time::{Span, Time};

use super::{
    ExperimentError,
    config::{
        self, Loaded, Size,
        generator::{Arrivals, Cycle, Drawn, DurationOf, Family, JobClass, Part, Quantity, Unit},
    },
};
use crate::workload::{
    Job, JobSource,
    generator::{
        Generated, Generator, LATEST,
        arrivals::{self, BurstState, Process},
        class::{Class, Quantity as Column, Rows, Together, Users},
        copula::{Copula, PerQuantity, QUANTITIES},
        cycle::{Cycle as Steps, Rate},
        marginal::{Listed, Marginal, Weighted},
    },
    poisson::ProfileShare,
};

/// Most numbers that are read from a file.
const MOST_ROWS: usize = 10_000_000;

/// What a file is wrong with, at which key, in words.
type Wrong = (String, String);

/// The generator of an experiment that has one.
///
/// # Errors
/// A file that it names cannot be read or holds something else than is needed; points at the key that names the file.
pub fn generator(loaded: &Loaded, profiles: Vec<ProfileShare>) -> Result<Generator, ExperimentError> {
    let spec = loaded.experiment.generator().expect("whoever asks for a generator has one");
    let first = loaded.experiment.workload.as_ref().and_then(|workload| workload.first).unwrap_or(u64::MAX);
    let built = build(spec).map_err(|(path, message)| loaded.error_at(path.as_str(), message, None))?;
    Ok(Generator { jobs: built.jobs.min(first), profiles, ..built })
}

fn build(spec: &config::generator::Generator) -> Result<Generator, Wrong> {
    let path = "workload.generator";
    let total: f64 = spec.class.iter().map(|class| class.share).sum();
    let classes = spec.class.iter().enumerate();
    let classes = classes.map(|(place, spec)| class(&format!("{path}.class[{place}]"), spec, total));
    Ok(Generator {
        jobs: spec.jobs.unwrap_or(u64::MAX),
        until: spec.until.map_or(LATEST, |until| Time::ZERO + until.0),
        arrivals: arrivals(&format!("{path}.arrivals"), &spec.arrivals)?,
        classes: classes.collect::<Result<_, _>>()?,
        profiles: Vec::new(),
    })
}

fn arrivals(path: &str, spec: &Arrivals) -> Result<arrivals::Arrivals, Wrong> {
    let (shape, sigma) = (spec.shape.unwrap_or(1.0), spec.sigma.unwrap_or(1.0));
    let process = match spec.process {
        config::generator::Process::Poisson => Process::Renewal(Marginal::Exponential { mean: 1.0 }),
        config::generator::Process::Constant => Process::Renewal(Marginal::Constant(1.0)),
        config::generator::Process::Weibull => Process::Renewal(Marginal::weibull(1.0, shape)),
        config::generator::Process::Gamma => Process::Renewal(Marginal::gamma(1.0, shape)),
        config::generator::Process::Lognormal => Process::Renewal(Marginal::lognormal(1.0, sigma)),
        config::generator::Process::Bursty => {
            let states =
                spec.states.iter().map(|state| BurstState { rate: state.rate, lasts: state.lasts.0 });
            Process::Bursty(states.collect())
        }
    };
    let cycles = spec.cycle.iter().enumerate();
    let cycles = cycles.map(|(place, spec)| cycle(&format!("{path}.cycle[{place}]"), spec));
    let cycles = cycles.collect::<Result<_, _>>()?;
    Ok(arrivals::Arrivals { interarrival: spec.interarrival.0, process, rate: Rate::new(cycles) })
}

fn cycle(path: &str, spec: &Cycle) -> Result<Steps, Wrong> {
    let period = spec.period.0;
    if let Some(amplitude) = spec.amplitude {
        return Ok(Steps::sinusoid(period, amplitude, spec.peak.map_or(Span(0), |peak| peak.0)));
    }
    let Some(file) = &spec.path else { return Ok(Steps::steps(period, &spec.weights)) };
    let weights = column(&format!("{path}.path"), file, spec.column.as_deref())?;
    if weights.len() as f64 > period.as_secs_f64() || weights.iter().all(|&weight| weight == 0.0) {
        let message = format!(
            "{}: its {} weights make no cycle of {}: a step takes a second or more, and one weight is above 0",
            file.display(),
            weights.len(),
            spec.period
        );
        return Err((format!("{path}.path"), message));
    }
    Ok(Steps::steps(period, &weights))
}

fn class(path: &str, spec: &JobClass, total: f64) -> Result<Class, Wrong> {
    let at = |key: &str| format!("{path}.{key}");
    let marginals = [
        marginal(&at("tasks"), &spec.tasks)?,
        marginal(&at("cpus"), &spec.cpus)?,
        marginal::<Size>(&at("mem"), &spec.mem)?,
        marginal::<Size>(&at("disk"), &spec.disk)?,
        marginal(&at("gpus"), &spec.gpus)?,
        marginal::<config::Duration>(&at("duration"), &spec.duration)?,
    ];
    Ok(Class {
        name: spec.name.as_str().into(),
        share: spec.share / total,
        marginals,
        together: together(path, spec)?,
        own_durations: spec.duration_of == DurationOf::Task,
        priority: spec.priority,
        users: spec.users.map(|users| Users { count: users.count, exponent: users.zipf }),
    })
}

fn together(path: &str, spec: &JobClass) -> Result<Together, Wrong> {
    if let Some(file) = &spec.rows {
        return rows(&format!("{path}.rows.path"), &file.path).map(Together::Rows);
    }
    if spec.correlation.is_empty() {
        return Ok(Together::Nothing);
    }
    let mut matrix = [[0.0; QUANTITIES]; QUANTITIES];
    (0..QUANTITIES).for_each(|place| matrix[place][place] = 1.0);
    for config::generator::Correlation { between: [a, b], r } in &spec.correlation {
        (matrix[*a as usize][*b as usize], matrix[*b as usize][*a as usize]) = (*r, *r);
    }
    Ok(Together::Ranks(Copula::new(&matrix).expect("correlations that were checked with the file")))
}

fn marginal<T: Unit>(path: &str, quantity: &Quantity<T>) -> Result<Marginal, Wrong> {
    let equally = |values: &[T]| Listed::new(values.iter().map(|value| (value.number(), 1.0)).collect());
    Ok(match quantity {
        Quantity::Constant(value) => Marginal::Constant(value.number()),
        Quantity::List(values) => Marginal::Listed(equally(values)),
        Quantity::Drawn(drawn) => self::drawn(path, drawn, equally)?,
    })
}

fn drawn<T: Unit>(path: &str, drawn: &Drawn<T>, equally: impl Fn(&[T]) -> Listed) -> Result<Marginal, Wrong> {
    let Drawn { distribution, mean, shape, sigma, min, max, .. } = *drawn;
    let unbounded = match distribution {
        Family::List if drawn.weights.is_empty() => Marginal::Listed(equally(&drawn.values)),
        Family::List => {
            let pairs = drawn.values.iter().map(|value| value.number()).zip(drawn.weights.iter().copied());
            Marginal::Listed(Listed::new(pairs.filter(|pair| pair.1 > 0.0).collect()))
        }
        Family::Empirical => match &drawn.path {
            None => Marginal::Quantiles(drawn.values.iter().map(|value| value.number()).collect()),
            Some(file) => {
                let numbers = column(&format!("{path}.path"), file, drawn.column.as_deref())?;
                Marginal::Listed(Listed::new(numbers.into_iter().map(|number| (number, 1.0)).collect()))
            }
        },
        Family::Mixture => {
            let total: f64 = drawn.parts.iter().map(|part| part.weight).sum();
            let part = |part: &Part<T>| {
                let Part { weight, distribution, mean, shape, sigma, min, max } = *part;
                let of = one(distribution, [mean, min, max], shape, sigma);
                Weighted { share: weight / total, of: clamped(distribution, of, min, max) }
            };
            Marginal::Mixture(drawn.parts.iter().map(part).collect())
        }
        Family::Constant
        | Family::Uniform
        | Family::Exponential
        | Family::Lognormal
        | Family::Weibull
        | Family::Gamma
        | Family::Pareto => one(distribution, [mean, min, max], shape, sigma),
    };
    Ok(clamped(distribution, unbounded, min, max))
}

/// A distribution with parameters that were checked: those that it lacks, it does not have.
fn one<T: Unit>(
    family: Family,
    [mean, min, max]: [Option<T>; 3],
    shape: Option<f64>,
    sigma: Option<f64>,
) -> Marginal {
    let number = |value: Option<T>| value.map_or(0.0, T::number);
    let (mean, low, high, shape) = (number(mean), number(min), number(max), shape.unwrap_or(1.0));
    match family {
        Family::Exponential => Marginal::Exponential { mean },
        Family::Lognormal => Marginal::lognormal(mean, sigma.unwrap_or(1.0)),
        Family::Weibull => Marginal::weibull(mean, shape),
        Family::Gamma => Marginal::gamma(mean, shape),
        Family::Uniform => Marginal::Uniform { low, high },
        Family::Pareto => Marginal::Pareto { low, high, shape },
        Family::Constant | Family::List | Family::Empirical | Family::Mixture => Marginal::Constant(mean),
    }
}

fn clamped<T: Unit>(family: Family, of: Marginal, min: Option<T>, max: Option<T>) -> Marginal {
    let (low, high) = (min.map_or(0.0, T::number), max.map_or(f64::INFINITY, T::number));
    let has_bounds = min.is_some() || max.is_some();
    if !has_bounds || family == Family::Uniform || family == Family::Pareto {
        return of;
    }
    Marginal::Clamped { of: Box::new(of), low, high }
}

/// The numbers of a column of a CSV file with a header, all of them 0 or more.
fn column(path: &str, file: &Path, name: Option<&str>) -> Result<Vec<f64>, Wrong> {
    let (header, rows) = table(path, file)?;
    let place = match name {
        Some(name) => header.iter().position(|known| known == name),
        None if header.len() == 1 => Some(0),
        None => {
            let message =
                format!("{} has the columns {}: say which with `column`", file.display(), header.join(", "));
            return Err((path.to_owned(), message));
        }
    };
    let place = place.ok_or_else(|| {
        let name = name.unwrap_or_default();
        (path.to_owned(), format!("{} has no column `{name}`, but {}", file.display(), header.join(", ")))
    })?;
    Ok(rows.iter().map(|row| row[place]).collect())
}

/// The columns that tables of rows may have, each at the place of its quantity.
const COLUMNS: PerQuantity<&str> = ["tasks", "cpus", "mem_mib", "disk_mib", "gpus", "duration_s"];

fn rows(path: &str, file: &Path) -> Result<Rows, Wrong> {
    let (header, rows) = table(path, file)?;
    if let Some(other) = header.iter().find(|name| !COLUMNS.contains(&name.as_str())) {
        let message =
            format!("{}: unknown column `{other}`: there are {}", file.display(), COLUMNS.join(", "));
        return Err((path.to_owned(), message));
    }
    let columns = COLUMNS.map(|name| header.iter().position(|known| known == name));
    assert_eq!(columns.len(), Column::ALL.len(), "a column for each quantity");
    Ok(Rows { columns, rows: rows.into() })
}

/// The columns of a file, and its rows.
type NumberTable = (Vec<String>, Vec<Box<[f64]>>);

fn table(path: &str, file: &Path) -> Result<NumberTable, Wrong> {
    let wrong = |message: String| (path.to_owned(), format!("{}{message}", file.display()));
    let mut reader = csv::Reader::from_path(file).map_err(|error| wrong(format!(": {error}")))?;
    let header = reader.headers().map_err(|error| wrong(format!(": {error}")))?;
    let header: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| wrong(format!(": {error}")))?;
        let line = record.position().map_or(0, csv::Position::line);
        let number = |(column, text): (usize, &str)| {
            let number = text.trim().parse::<f64>().ok().filter(|number| (0.0..=1e15).contains(number));
            number.ok_or_else(|| {
                wrong(format!(":{line}: `{}` is `{text}`: expected a number from 0 to 1e15", header[column]))
            })
        };
        rows.push(record.iter().enumerate().map(number).collect::<Result<Box<[f64]>, _>>()?);
        if rows.len() > MOST_ROWS {
            return Err(wrong(format!(":{line}: at most {MOST_ROWS} rows are supported")));
        }
    }
    if rows.is_empty() {
        return Err(wrong(" has no rows".to_owned()));
    }
    Ok((header, rows))
}

/// Which framework takes the jobs of each class; `None` if no framework selects any, so that all are dealt at random.
///
/// # Errors
/// A framework selects by another label, or nobody takes a class.
pub(super) fn takers(loaded: &Loaded) -> Result<Option<Arc<[usize]>>, ExperimentError> {
    let experiment = &loaded.experiment;
    let frameworks = &experiment.framework;
    if frameworks.iter().all(|framework| framework.select.is_none()) {
        return Ok(None);
    }
    for (place, framework) in frameworks.iter().enumerate() {
        let labels = framework.select.iter().flat_map(|select| select.keys());
        if let Some(label) = labels.into_iter().find(|label| *label != "class") {
            let path = format!("framework[{place}].select.{label}");
            let message = format!("generated jobs have no label `{label}`");
            return Err(loaded
                .error_at(path.as_str(), message, Some("their label is `class`".into()))
                .into());
        }
    }
    let takes_rest = |framework: &config::Framework| framework.select.is_none() && framework.takes_workload();
    let default = frameworks.iter().position(takes_rest);
    let classes = experiment.generator().into_iter().flat_map(|generator| &generator.class);
    let taker = |class: &JobClass| {
        let selects = |framework: &config::Framework| {
            framework.select.as_ref().and_then(|select| select.get("class")) == Some(&class.name)
        };
        frameworks.iter().position(selects).or(default).ok_or_else(|| {
            let message = format!("jobs of the class `{}` are selected by no framework", class.name);
            let help = "add a framework with `select = { class = \"…\" }`, or one without `select` for all other jobs";
            loaded.error_at("framework", message, Some(help.into())).into()
        })
    };
    classes.map(taker).collect::<Result<_, _>>().map(Some)
}

/// The jobs of the classes that one framework takes.
pub(super) struct OfClasses {
    pub(super) jobs: Generated,
    pub(super) takers: Arc<[usize]>,
    pub(super) framework: usize,
}

impl JobSource for OfClasses {
    fn next_job(&mut self) -> Option<Job> {
        loop {
            let generated = self.jobs.next_generated()?;
            if self.takers[generated.class] == self.framework {
                return Some(generated.job);
            }
        }
    }
}
