//! Planned maintenance: when an agent will be away, and what frameworks say to it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::time::{Span, Time};

/// When an agent will be unavailable (Mesos' `Unavailability`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Unavailability {
    /// From when on.
    pub start: Time,
    /// For how long; `None`: for good.
    pub duration: Option<Span>,
}

/// A framework's answer to an inverse offer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InverseOfferStatus {
    /// It will be gone from the agent by then.
    Accept,
    /// It will not.
    Decline,
}

/// A machine, on which any number of agents may run (Mesos' `MachineID`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Machine {
    /// Its host name; empty: not said. Compared in lower case.
    pub hostname: String,
    /// Its address; empty: not said.
    pub ip: String,
}

impl Machine {
    /// The same with its host name in lower case, as machines are compared.
    #[must_use]
    pub fn normal(&self) -> Self {
        Self { hostname: self.hostname.to_ascii_lowercase(), ip: self.ip.clone() }
    }

    /// Whether it says what machine it is (`maintenance::validation::machine`).
    ///
    /// # Errors
    /// When it does not, or has an address that is none.
    pub fn validate(&self) -> Result<(), MaintenanceError> {
        if self.hostname.is_empty() && self.ip.is_empty() {
            return Err(MaintenanceError::Nameless);
        }
        if !self.ip.is_empty() && !is_ipv4(&self.ip) {
            return Err(MaintenanceError::Address(self.ip.clone()));
        }
        Ok(())
    }
}

impl std::fmt::Display for Machine {
    /// As JSON, without what is not said.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let fields = [("hostname", &self.hostname), ("ip", &self.ip)];
        let said = fields.iter().filter(|(_, text)| !text.is_empty());
        let said: Vec<String> = said.map(|(name, text)| format!("{name:?}:{text:?}")).collect();
        write!(f, "{{{}}}", said.join(","))
    }
}

/// Why a schedule or a list of machines is none (Mesos' `maintenance::validation`).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MaintenanceError {
    /// A window without machines.
    #[error("List of machines in the maintenance window is empty")]
    EmptyWindow,
    /// No machine.
    #[error("List of machines is empty")]
    NoMachines,
    /// A machine that is not named.
    #[error("Both 'hostname' and 'ip' for a machine are empty")]
    Nameless,
    /// An address that is none.
    #[error("Failed to parse the IP '{0}'")]
    Address(String),
    /// A window that ends before it begins.
    #[error("Unavailability 'duration' is negative")]
    NegativeDuration,
    /// A machine twice.
    #[error("Machine '{machine}' appears more than once in the {list}")]
    Repeated {
        /// Which.
        machine: Machine,
        /// `schedule` or `list of machines`.
        list: &'static str,
    },
    /// A machine that is down must be brought up before it leaves the schedule.
    #[error("Machine '{0}' is deactivated and cannot be removed from the schedule")]
    Down(Machine),
}

/// Whether these are machines, each named once (`maintenance::validation::machines`).
///
/// # Errors
/// The first rule that is broken.
pub fn validate_machines(machines: &[Machine]) -> Result<(), MaintenanceError> {
    if machines.is_empty() {
        return Err(MaintenanceError::NoMachines);
    }
    let mut seen = BTreeSet::new();
    machines.iter().try_for_each(|machine| check_once(machine, "list of machines", &mut seen))
}

fn check_once(
    machine: &Machine,
    list: &'static str,
    seen: &mut BTreeSet<Machine>,
) -> Result<(), MaintenanceError> {
    machine.validate()?;
    if seen.insert(machine.normal()) {
        return Ok(());
    }
    Err(MaintenanceError::Repeated { machine: machine.clone(), list })
}

/// What a machine is doing (Mesos' `MachineInfo.Mode`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum MachineMode {
    /// All is well.
    Up,
    /// It is in the schedule.
    Draining,
    /// Under maintenance: its agents may not register.
    Down,
}

/// Machines that will be away together.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Window {
    /// Which.
    pub machines: Vec<Machine>,
    /// From when on, in nanoseconds since the start.
    pub start: Time,
    /// For how long, in nanoseconds; negative ones are refused. `None`: for good.
    pub duration: Option<i64>,
}

impl Window {
    /// When its machines will be away.
    #[must_use]
    pub fn unavailability(&self) -> Unavailability {
        let duration = self.duration.map(|nanos| Span(u64::try_from(nanos).unwrap_or(0)));
        Unavailability { start: self.start, duration }
    }
}

/// Four numbers below 256 with dots between them, none with a needless zero in front.
fn is_ipv4(text: &str) -> bool {
    let is_octet = |part: &str| part.parse::<u8>().is_ok_and(|octet| octet.to_string() == part);
    text.split('.').count() == 4 && text.split('.').all(is_octet)
}

/// All windows that are planned (Mesos' `maintenance::Schedule`).
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Schedule {
    /// In any order.
    pub windows: Vec<Window>,
}

impl Schedule {
    /// Whether it can be, with these machines down (`maintenance::validation::schedule`).
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn validate<'a>(&self, down: impl IntoIterator<Item = &'a Machine>) -> Result<(), MaintenanceError> {
        let mut scheduled = BTreeSet::new();
        for window in &self.windows {
            if window.machines.is_empty() {
                return Err(MaintenanceError::EmptyWindow);
            }
            if window.duration.is_some_and(|nanos| nanos < 0) {
                return Err(MaintenanceError::NegativeDuration);
            }
            for machine in &window.machines {
                check_once(machine, "schedule", &mut scheduled)?;
            }
        }
        let missing = down.into_iter().find(|machine| !scheduled.contains(machine));
        missing.map_or(Ok(()), |machine| Err(MaintenanceError::Down(machine.clone())))
    }

    /// The same with all host names in lower case.
    #[must_use]
    pub fn normal(&self) -> Self {
        let normal = |window: &Window| Window {
            machines: window.machines.iter().map(Machine::normal).collect(),
            ..window.clone()
        };
        Self { windows: self.windows.iter().map(normal).collect() }
    }

    /// Takes these machines out, and windows that have none left.
    pub fn remove(&mut self, machines: &[Machine]) {
        for window in &mut self.windows {
            window.machines.retain(|machine| !machines.contains(machine));
        }
        self.windows.retain(|window| !window.machines.is_empty());
    }
}
