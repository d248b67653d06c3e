//! A plain set answers the same whether it is kept as four numbers or as a list.

use proptest::prelude::*;

use super::{super::*, anything, plain};

/// All that can be seen of a set.
fn seen(set: &Resources) -> (Vec<(String, u32)>, ResourceQuantities, Devices, String) {
    let mut entries: Vec<_> =
        set.entries().map(|(resource, copies)| (format!("{resource:?}"), copies)).collect();
    entries.sort_unstable();
    (entries, set.quantities().clone(), *set.devices(), set.to_string())
}

/// Everything that can be done to two sets.
fn everything(a: &Resources, b: &Resources) -> Vec<Resources> {
    let [mut sum, mut rest] = [a.clone(), a.clone()];
    sum += b;
    rest -= b;
    let mut limits = ResourceLimits::NONE;
    b.quantities().iter().for_each(|(name, amount)| limits.set(&Name::new(name), amount));
    let reservation = super::reservation(ReservationKind::Static, "a");
    let resources = b.filter(|resource| !resource.is_reserved()).reserved_further(&reservation);
    let mut reserved = a.clone();
    let _ = reserved.apply(&ResourceOperation::Reserve { source: None, resources });
    let mut all = vec![sum, rest, reserved, b.quantities().shrink(a.clone()), limits.shrink(a.clone())];
    let views: [fn(&Resources) -> Resources; 11] = [
        Resources::reserved,
        Resources::unreserved,
        Resources::revocable,
        Resources::non_revocable,
        Resources::shared,
        Resources::non_shared,
        Resources::scalars,
        Resources::persistent_volumes,
        Resources::to_unreserved,
        Resources::unallocate,
        |set| set.filter(|resource| resource.name.as_str() == "gpus"),
    ];
    all.extend(views.map(|view| view(a)));
    all.extend([
        a.reserved_to("a"),
        a.allocatable_to("a/b"),
        a.allocate("a"),
        a.reserved_further(&reservation),
    ]);
    all.extend(a.without_last_reservation());
    all
}

fn answers(a: &Resources, b: &Resources) -> [bool; 9] {
    let gpus = Resource::plain(ResourceName::Gpus, Scalar(500));
    [
        a.contains(b),
        b.contains(a),
        a == b,
        a.contains_quantities(b.quantities()),
        a.is_empty(),
        a.is_plain(),
        a.has_reservations() || a.has_revocable() || a.has_shared(),
        a.is_text(),
        a.contains_resource(&gpus),
    ]
}

proptest! {
    #[test]
    fn both_forms_of_plain_sets_answer_alike(a in plain(), b in plain()) {
        let (x, y) = (a.clone().forced_into_a_list(), b.clone().forced_into_a_list());
        prop_assert_eq!(seen(&a), seen(&x));
        let expected: Vec<_> = everything(&a, &b).iter().map(seen).collect();
        for (left, right) in [(&x, &y), (&a, &y), (&x, &b)] {
            prop_assert_eq!(&expected, &everything(left, right).iter().map(seen).collect::<Vec<_>>());
            prop_assert_eq!(answers(&a, &b), answers(left, right));
        }
        prop_assert_eq!(&a, &x);
        prop_assert_eq!(&x, &a);
    }

    #[test]
    fn both_forms_answer_alike_beside_any_other_set(a in plain(), b in anything(0)) {
        let x = a.clone().forced_into_a_list();
        for (known, left, right) in [((&a, &b), &x, &b), ((&b, &a), &b, &x)] {
            let expected: Vec<_> = everything(known.0, known.1).iter().map(seen).collect();
            prop_assert_eq!(expected, everything(left, right).iter().map(seen).collect::<Vec<_>>());
            prop_assert_eq!(answers(known.0, known.1), answers(left, right));
        }
    }

    #[test]
    fn what_becomes_plain_again_is_kept_as_four_numbers(a in plain(), b in anything(0)) {
        let mut sum = a.clone();
        sum += &b.filter(|resource| !resource.is_scalar() || resource.is_reserved());
        sum -= &b.filter(|resource| !resource.is_scalar() || resource.is_reserved());
        prop_assert!(sum.is_empty() || sum.list().is_none());
        prop_assert_eq!(sum, a);
    }
}
