//! Mesos' text form of amounts: `cpus:4;mem:1024`.

use super::{ResourceName, ResourceQuantities, Scalar};

/// Why a text is no amount of resources.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResourceTextError {
    /// A token without exactly one colon.
    #[error("`{0}` is not of the form name:amount")]
    Form(String),
    /// A name that is not one of Mesos' scalars.
    #[error("unknown resource `{0}`, expected cpus, mem, disk or gpus")]
    Name(String),
    /// An amount that is not a number, negative, or rounds to nothing without being zero.
    #[error("`{0}` is not an amount: expected a number of at least 0.001, or 0")]
    Amount(String),
}

/// Parses `name:number;...`. Empty tokens are dropped; a name given twice adds up (`ResourceQuantities::fromString`).
pub fn parse_quantities(text: &str) -> Result<ResourceQuantities, ResourceTextError> {
    let mut quantities = ResourceQuantities::EMPTY;
    for token in text.split(';').map(str::trim).filter(|token| !token.is_empty()) {
        let (name, amount) = token.split_once(':').ok_or_else(|| ResourceTextError::Form(token.into()))?;
        let known =
            ResourceName::parse(name.trim()).ok_or_else(|| ResourceTextError::Name(name.trim().into()))?;
        quantities.set(known, quantities.get(known) + parse_amount(amount.trim())?);
    }
    Ok(quantities)
}

/// Parses Mesos' `--min_allocatable_resources`: quantities joined by `|`, of which an offer must hold at least one.
/// An empty text asks for nothing.
pub fn parse_alternatives(text: &str) -> Result<Vec<ResourceQuantities>, ResourceTextError> {
    text.split('|').filter(|part| !part.trim().is_empty()).map(parse_quantities).collect()
}

fn parse_amount(text: &str) -> Result<Scalar, ResourceTextError> {
    let wrong = || ResourceTextError::Amount(text.into());
    let value: f64 = text.parse().map_err(|_| wrong())?;
    let amount = Scalar::from_f64(value).ok_or_else(wrong)?;
    if amount.0 < 0 || (amount.0 == 0 && value != 0.0) {
        return Err(wrong());
    }
    Ok(amount)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_given_twice_adds_up() {
        assert_eq!(parse_quantities("cpus:1;cpus:2;").unwrap().to_string(), "cpus:3");
    }

    #[test]
    fn the_default_minimum_is_two_alternatives() {
        let minima = parse_alternatives("cpus:0.01|mem:32").unwrap();
        assert_eq!(minima.iter().map(ToString::to_string).collect::<Vec<_>>(), ["cpus:0.01", "mem:32"]);
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in ["cpus", "cores:1", "cpus:-1", "cpus:nan", "cpus:inf", "cpus:0.0004", "cpus:one"] {
            assert!(parse_quantities(text).is_err(), "{text}");
        }
    }
}
