//! JSON.

use proptest::prelude::*;
use serde_json::{Value, from_value, json, to_value};

use super::{super::*, anything, of, parse, volume};

fn same_entries(a: &Resources, b: &Resources) -> bool {
    let list = |set: &Resources| format!("{:?}", set.entries().collect::<Vec<_>>());
    list(a) == list(b)
}

proptest! {
    #[test]
    fn json_says_everything(a in anything(0)) {
        let json = to_value(&a).unwrap();
        let back: Resources = from_value(json).unwrap();
        prop_assert!(same_entries(&a, &back), "{:?} {:?}", a, back);
    }

    #[test]
    fn the_old_formats_say_everything_but_refinements(a in anything(0)) {
        for (resource, _) in a.entries() {
            let endpoint = to_value(WireResource::endpoint(&resource)).unwrap();
            prop_assert_eq!(from_value::<Resource>(endpoint).unwrap(), resource.clone());
            match WireResource::pre_refinement(&resource) {
                Ok(old) => {
                    let old = to_value(old).unwrap();
                    prop_assert!(old.get("role").is_some() && old.get("reservations").is_none());
                    prop_assert_eq!(from_value::<Resource>(old).unwrap(), resource);
                }
                Err(_) => prop_assert!(resource.is_refined()),
            }
        }
        prop_assert_eq!(a.downgrade().is_err(), a.entries().any(|(resource, _)| resource.is_refined()));
    }
}

#[test]
fn operations_are_read_as_they_were_written() {
    let volumes = of(vec![volume("v", 10, true), volume("v", 10, true), volume("w", 3, false)]);
    let one = of(vec![volume("w", 3, false)]);
    let operations = [
        ResourceOperation::Reserve { source: None, resources: parse("cpus(a):1") },
        ResourceOperation::Reserve { source: Some(parse("cpus(b):1")), resources: parse("cpus(a):1") },
        ResourceOperation::Unreserve { resources: parse("cpus(a):1") },
        ResourceOperation::Create { volumes: volumes.clone() },
        ResourceOperation::Destroy { volumes },
        ResourceOperation::GrowVolume { volume: one.clone(), addition: parse("disk(a):1") },
        ResourceOperation::ShrinkVolume { volume: one, subtract: Scalar::whole(1) },
    ];
    for operation in operations {
        assert_eq!(from_value::<ResourceOperation>(to_value(&operation).unwrap()).unwrap(), operation);
    }
    let error = from_value::<ResourceOperation>(json!({"type": "LAUNCH"})).unwrap_err().to_string();
    assert!(error.contains("`LAUNCH`") && error.contains("`RESERVE`"), "{error}");
    let error = from_value::<ResourceOperation>(json!({"type": "CREATE"})).unwrap_err().to_string();
    assert!(error.contains("without `create`"), "{error}");
}

#[test]
fn a_set_is_read_from_text_or_from_a_list() {
    assert_eq!(from_value::<Resources>(json!("cpus:1")).unwrap(), parse("cpus:1"));
    let list =
        json!([{"name": "cpus", "type": "SCALAR", "scalar": {"value": 1}, "role": "a", "extra": null}]);
    assert_eq!(from_value::<Resources>(list).unwrap(), parse("cpus(a):1"));
    assert!(from_value::<Resources>(json!(3)).unwrap_err().to_string().contains("as text of the form"));
}

#[test]
fn reservations_in_both_spellings_must_agree() {
    let cpus = |more: Value| {
        let mut object = json!({"name": "cpus", "type": "SCALAR", "scalar": {"value": 1}});
        let fields = more.as_object().cloned().unwrap_or_default();
        object.as_object_mut().unwrap().extend(fields);
        from_value::<Resource>(object).map_err(|error| error.to_string())
    };
    let dynamic = json!([{"type": "DYNAMIC", "role": "a", "principal": "p"}]);
    let fixed = json!([{"type": "STATIC", "role": "a"}]);
    assert!(cpus(json!({"reservations": dynamic, "role": "a", "reservation": {"principal": "p"}})).is_ok());
    assert!(cpus(json!({"reservations": fixed, "role": "a"})).is_ok());
    for wrong in [
        json!({"reservations": dynamic, "role": "b", "reservation": {"principal": "p"}}),
        json!({"reservations": dynamic, "role": "a", "reservation": {"principal": "q"}}),
        json!({"reservations": dynamic, "role": "a"}),
        json!({"reservations": dynamic, "reservation": {"principal": "p"}}),
        json!({"reservations": fixed, "role": "a", "reservation": {}}),
        json!({"role": "*", "reservation": {}}),
        json!({"role": "a b"}),
        json!({"role": "a", "reservation": {"role": "a"}}),
        json!({"shared": {}}),
        json!({"disk": {}}),
        json!({"ranges": {"range": []}}),
    ] {
        assert!(cpus(wrong.clone()).is_err(), "{wrong}");
    }
}

#[test]
fn a_list_for_an_agents_flags_is_refused_what_text_cannot_say() {
    let revocable =
        Resource::plain(ResourceName::Cpus, Scalar::whole(1)).with(|detail| detail.revocable = true);
    let dynamic = volume("v", 1, false).with(|detail| detail.disk = None);
    for entry in [revocable, dynamic, volume("v", 1, false)] {
        let error = Resources::from_flags(vec![entry]).expect_err("refused").to_string();
        assert!(error.contains("cannot be started with"), "{error}");
    }
}
