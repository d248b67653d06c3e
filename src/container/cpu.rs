//! Who gets how much CPU when all want more than there is: weighted max-min, as the kernel's scheduler shares it out by
//! `cpu.shares` in the long run.
//!
//! Weights and wishes are whole numbers, so that whether a wish is met in full is decided exactly: a container within
//! its share never loses a nanosecond to rounding.

use mesos::resource::Scalar;

use super::running::Slot;

/// `cpu.shares` per CPU (Mesos' `CPU_SHARES_PER_CPU`).
const SHARES_PER_CPU: u64 = 1024;
/// The same for revocable CPUs (`CPU_SHARES_PER_CPU_REVOCABLE`).
const SHARES_PER_CPU_REVOCABLE: u64 = 10;
/// The fewest shares that a container has (`MIN_CPU_SHARES`), in thousandths.
const MIN_SHARES: u64 = 2_000;

/// A container's weight: its `cpu.shares` in thousandths of a share (`CpuSubsystemProcess::update`; Mesos cuts off
/// fractions of a share).
pub(super) fn weight(request: Scalar, low_priority: bool) -> u64 {
    let shares = if low_priority { SHARES_PER_CPU_REVOCABLE } else { SHARES_PER_CPU };
    thousandths(request).saturating_mul(shares).max(MIN_SHARES)
}

fn thousandths(cpus: Scalar) -> u64 {
    u64::try_from(cpus.0).unwrap_or(0)
}

/// What one container wants of the CPUs, and what it gets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim {
    pub(super) slot: Slot,
    pub(super) weight: u64,
    /// The CPUs that it would keep busy.
    pub(super) wanted: Scalar,
    /// The CPUs that it gets.
    pub(super) granted: f64,
    /// Whether it gets all that it wants.
    pub(super) met: bool,
}

impl Claim {
    pub(super) const fn new(slot: Slot, weight: u64, wanted: Scalar) -> Self {
        Self { slot, weight, wanted, granted: 0.0, met: false }
    }

    /// Wish times the other's weight: says whose wish is smaller for its weight.
    fn against(&self, other: &Self) -> u128 {
        u128::from(thousandths(self.wanted)) * u128::from(other.weight)
    }
}

/// Fills all claims evenly for their weight until the CPUs are used up. Brings the claims into another order.
pub(super) fn share(cpus: Scalar, claims: &mut [Claim]) {
    claims.sort_unstable_by(|a, b| a.against(b).cmp(&b.against(a)).then(a.slot.cmp(&b.slot)));
    let mut left = thousandths(cpus);
    let mut weights: u128 = claims.iter().map(|claim| u128::from(claim.weight)).sum();
    for claim in claims {
        let wanted = thousandths(claim.wanted);
        claim.met = u128::from(wanted) * weights <= u128::from(left) * u128::from(claim.weight);
        if claim.met {
            claim.granted = claim.wanted.as_f64();
            (left, weights) = (left - wanted, weights - u128::from(claim.weight));
        } else {
            // All that follow want still more for their weight: the level stays.
            claim.granted = left as f64 * claim.weight as f64 / weights as f64 / 1000.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use mesos::id::Id;
    use proptest::prelude::*;

    use super::*;

    fn shared(cpus: i64, claims: &[(i64, i64)]) -> Vec<Claim> {
        let claim = |(slot, &(request, wanted)): (usize, &(i64, i64))| {
            Claim::new(Slot::new(slot), weight(Scalar(request), false), Scalar(wanted))
        };
        let mut claims: Vec<_> = claims.iter().enumerate().map(claim).collect();
        share(Scalar(cpus), &mut claims);
        claims.sort_by_key(|claim| claim.slot);
        claims
    }

    fn granted(cpus: i64, claims: &[(i64, i64)]) -> Vec<f64> {
        shared(cpus, claims).iter().map(|claim| claim.granted).collect()
    }

    #[test]
    fn who_wants_less_than_his_share_leaves_the_rest_to_the_others() {
        assert_eq!(granted(3000, &[(1000, 4000), (1000, 2000)]), [1.5, 1.5]);
        assert_eq!(granted(3000, &[(1000, 500), (1000, 4000)]), [0.5, 2.5]);
        assert_eq!(granted(6000, &[(1000, 9000), (2000, 9000)]), [2.0, 4.0]);
        assert_eq!(granted(5000, &[(1000, 1000), (2000, 9000), (3000, 1500)]), [1.0, 2.5, 1.5]);
    }

    #[test]
    fn revocable_cpus_weigh_a_hundredth_and_every_container_weighs_something() {
        assert_eq!(weight(Scalar::whole(2), false), 2_048_000);
        assert_eq!(weight(Scalar::whole(2), true), 20_000);
        assert_eq!(weight(Scalar::ZERO, false), 2_000);
    }

    proptest! {
        #[test]
        fn no_cpu_is_idle_while_a_wish_is_unmet_and_nobody_is_better_off_than_his_weight(
            cpus in 0i64..9000, claims in prop::collection::vec((0i64..5000, 0i64..5000), 1..12)
        ) {
            let claims = shared(cpus, &claims);
            let sum: f64 = claims.iter().map(|claim| claim.granted).sum();
            let wanted: i64 = claims.iter().map(|claim| claim.wanted.0).sum();
            prop_assert!((sum - wanted.min(cpus) as f64 / 1000.0).abs() < 1e-9, "{} of {} for {}", sum, cpus, wanted);
            for unmet in claims.iter().filter(|claim| !claim.met) {
                let level = unmet.granted / unmet.weight as f64;
                prop_assert!(unmet.granted < unmet.wanted.as_f64() + 1e-12);
                for other in &claims {
                    prop_assert!(other.granted / other.weight as f64 <= level * (1.0 + 1e-12));
                }
            }
        }

        /// So that plain tasks need no looking at while requests fit the machine.
        #[test]
        fn who_wants_no_more_than_he_requests_gets_it_while_the_requests_fit(
            claims in prop::collection::vec((2i64..3000, 0i64..9000), 1..12)
        ) {
            let cpus = claims.iter().map(|&(request, _)| request).sum();
            for (claim, &(request, wanted)) in shared(cpus, &claims).iter().zip(&claims) {
                prop_assert!(claim.met || wanted > request);
            }
        }
    }
}
