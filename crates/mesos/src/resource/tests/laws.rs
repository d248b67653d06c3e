//! What holds for all sets.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{super::*, anything};

fn sum(a: &Resources, b: &Resources) -> Resources {
    let mut sum = a.clone();
    sum += b;
    sum
}

fn rest(a: &Resources, b: &Resources) -> Resources {
    let mut rest = a.clone();
    rest -= b;
    rest
}

fn limits(quantities: &ResourceQuantities) -> ResourceLimits {
    let mut limits = ResourceLimits::NONE;
    quantities.iter().for_each(|(name, amount)| limits.set(&Name::new(name), amount));
    limits
}

proptest! {
    /// Ranges and sets forget how often they got a member, so those of the two must have nothing in common.
    #[test]
    fn what_was_added_can_be_taken_away(a in anything(0), b in anything(1)) {
        let both = sum(&a, &b);
        prop_assert!(both.contains(&a) && both.contains(&b));
        prop_assert!(both.has_right_sums());
        let back = rest(&both, &b);
        prop_assert_eq!(&back, &a);
        prop_assert!(back.has_right_sums());
        prop_assert_eq!(back.quantities(), a.quantities());
    }

    #[test]
    fn to_be_contained_is_to_leave_an_exact_rest(a in anything(0), b in anything(0), part in any::<u8>()) {
        let picked: Vec<_> = a.entries().zip(0..8).filter(|(_, bit)| part >> bit & 1 == 1).collect();
        let picked = super::of(picked.into_iter().map(|((resource, _), _)| resource).collect());
        for b in [b, picked] {
            let left = rest(&a, &b);
            prop_assert!(left.has_right_sums());
            prop_assert_eq!(a.contains(&b), sum(&left, &b) == a);
        }
    }

    #[test]
    fn the_order_of_adding_does_not_show_in_equality(a in anything(0), b in anything(0)) {
        prop_assert_eq!(sum(&a, &b), sum(&b, &a));
    }

    #[test]
    fn views_part_a_set_in_two(a in anything(0)) {
        let pairs = [
            (a.reserved(), a.unreserved()),
            (a.revocable(), a.non_revocable()),
            (a.shared(), a.non_shared()),
            (a.scalars(), a.filter(|resource| !resource.is_scalar())),
        ];
        for (one, other) in pairs {
            prop_assert!(one.has_right_sums() && other.has_right_sums());
            prop_assert_eq!(sum(&one, &other), a.clone());
        }
        let mut reserved = Resources::EMPTY;
        for (role, part) in a.reservations() {
            prop_assert_eq!(&part, &a.reserved_to(&role));
            reserved += &part;
        }
        prop_assert_eq!(reserved, a.reserved());
        prop_assert!(a.reservation_quantities().into_iter().all(|(role, sum)| sum == *a.reserved_to(&role).quantities()));
    }

    #[test]
    fn reservations_are_taken_away_as_they_were_laid_on(a in anything(0)) {
        let plain = a.to_unreserved();
        prop_assert!(!plain.has_reservations() && plain.has_right_sums());
        let reserved = plain.reserved_further(&super::reservation(ReservationKind::Dynamic, "z"));
        prop_assert_eq!(&reserved.reserved_to("z"), &reserved);
        prop_assert_eq!(reserved.without_last_reservation(), Some(plain));
    }

    #[test]
    fn what_is_allocated_can_be_unallocated(a in anything(0)) {
        let bare = a.unallocate();
        let all = bare.allocate("z");
        prop_assert_eq!(&all.allocated_to_subtree("z"), &all);
        prop_assert!(all.has_right_sums() && bare.has_right_sums());
        prop_assert_eq!(all.unallocate(), bare);
    }

    #[test]
    fn what_is_cut_is_never_more_than_asked_for(a in anything(0), wanted in anything(0)) {
        let most = wanted.quantities();
        let all = a.scalars();
        for cut in [most.shrink(all.clone()), limits(most).shrink(all.clone())] {
            prop_assert!(limits(most).contains_quantities(cut.quantities()));
            prop_assert!(all.contains(&cut) && cut.has_right_sums());
        }
        prop_assert!(most.shrink(all).quantities().iter().all(|(name, amount)| most.of_name(name) >= amount));
    }

    #[test]
    fn what_text_can_say_can_be_read_again(a in anything(0)) {
        let said = a.filter(Resource::is_text);
        prop_assert_eq!(Resources::parse(&said.to_string()), Ok(said));
    }

    #[test]
    fn quantities_are_those_of_the_entries(a in anything(0)) {
        prop_assert!(a.has_right_sums());
        prop_assert!(a.contains_quantities(&a.all_quantities()));
        prop_assert_eq!(Ok(a.all_quantities()), parse_quantities(&a.all_quantities().to_string()));
    }

    #[test]
    fn ranges_are_sets_of_numbers(a in intervals(), b in intervals()) {
        let [x, y] = [&a, &b].map(|intervals| Ranges::new(intervals.iter().copied()));
        let [p, q] = [&x, &y].map(numbers);
        prop_assert_eq!(numbers(&x.union(&y)), p.union(&q).copied().collect());
        prop_assert_eq!(numbers(&x.difference(&y)), p.difference(&q).copied().collect());
        prop_assert_eq!(x.contains(&y), q.is_subset(&p));
        prop_assert_eq!(x.count(), p.len() as u64);
        prop_assert_eq!(Ranges::new(x.difference(&y).iter()), x.difference(&y));
    }
}

fn intervals() -> impl Strategy<Value = Vec<(u64, u64)>> {
    prop::collection::vec((0_u64..60, 0_u64..9).prop_map(|(begin, more)| (begin, begin + more)), 0..6)
}

fn numbers(ranges: &Ranges) -> BTreeSet<u64> {
    ranges.iter().flat_map(|(begin, end)| begin..=end).collect()
}
