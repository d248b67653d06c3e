//! The whole algebra, on examples and on anything.

mod examples;
mod forms;
mod laws;
mod text;
mod wire;

use proptest::prelude::*;

use super::{
    Detail, Devices, DiskInfo, DiskSource, DiskSourceKind, Name, Persistence, Ranges, Reservation,
    ReservationKind, Resource, ResourceName, ResourceQuantities, Resources, Scalar, Set, Value, Volume,
};

fn parse(text: &str) -> Resources {
    Resources::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn reservation(kind: ReservationKind, role: &str) -> Reservation {
    let principal = (kind == ReservationKind::Dynamic).then(|| "p".to_owned());
    Reservation { kind, role: role.into(), principal, labels: None }
}

fn source(kind: DiskSourceKind, root: Option<&str>, id: Option<&str>) -> DiskSource {
    let [root, id] = [root, id].map(|text| text.map(str::to_owned));
    DiskSource { kind, root, vendor: None, id, metadata: None, profile: None }
}

fn volume(id: &str, megabytes: i64, shared: bool) -> Resource {
    let disk = DiskInfo {
        source: None,
        persistence: Some(Persistence { id: id.to_owned(), principal: Some("p".to_owned()) }),
        volume: Some(Volume { container_path: "data".to_owned(), host_path: None, writable: true }),
    };
    let reservations = vec![reservation(ReservationKind::Dynamic, "a")];
    let detail = Detail { reservations, disk: Some(disk), shared, ..Detail::default() };
    Resource::new(Name::Known(ResourceName::Disk), Value::Scalar(Scalar::whole(megabytes)), detail)
}

fn disk(source: DiskSource, megabytes: i64) -> Resource {
    let disk = Some(DiskInfo { source: Some(source), ..DiskInfo::default() });
    let detail = Detail { disk, ..Detail::default() };
    Resource::new(Name::Known(ResourceName::Disk), Value::Scalar(Scalar::whole(megabytes)), detail)
}

fn of(entries: Vec<Resource>) -> Resources {
    Resources::from_entries(entries).expect("valid resources")
}

impl Resources {
    /// The same as a list, though it may be plain.
    fn forced_into_a_list(mut self) -> Self {
        self.make_list();
        self
    }

    /// Whether the sums kept beside the list are those of its entries.
    fn has_right_sums(&self) -> bool {
        let mut sums = ResourceQuantities::EMPTY;
        for (resource, _) in self.entries() {
            sums.add(&resource.name, resource.amount().unwrap_or(Scalar::ZERO));
        }
        sums == *self.quantities()
    }
}

prop_compose! {
    /// Plain amounts, some with devices.
    fn plain()(
        scalars in prop::array::uniform3(0_i64..50_000),
        shares in prop::array::uniform3(0_u16..=1000),
        some in prop::array::uniform3(any::<bool>()),
    ) -> Resources {
        let mut devices = Devices::NONE;
        for (device, share) in shares.into_iter().enumerate() {
            devices += &Devices::share(device, share);
        }
        let amount = |place: usize| Scalar(if some[place] { scalars[place] } else { 0 });
        let scalars = ResourceQuantities::new([amount(0), amount(1), amount(2), Scalar::ZERO]);
        Resources::of(scalars).with_devices(devices)
    }
}

fn reservations() -> impl Strategy<Value = Vec<Reservation>> {
    use ReservationKind::{Dynamic, Static};
    prop_oneof![
        4 => Just(vec![]),
        2 => Just(vec![reservation(Static, "a")]),
        1 => Just(vec![reservation(Dynamic, "a")]),
        1 => Just(vec![reservation(Static, "a"), reservation(Dynamic, "a/b")]),
        1 => Just(vec![reservation(Dynamic, "a"), reservation(Dynamic, "a/b"), reservation(Dynamic, "a/b/c")]),
    ]
}

prop_compose! {
    /// Amounts of a few names, reserved and revocable or not.
    fn amount()(
        name in prop::sample::select(vec!["cpus", "mem", "disk", "gpus", "foo"]),
        amount in 1_i64..4000,
        reservations in reservations(),
        revocable in prop::bool::weighted(0.2),
        allocated in prop::bool::weighted(0.2),
        provider in prop::bool::weighted(0.1),
    ) -> Resource {
        let detail = Detail {
            allocation_role: allocated.then(|| "a".into()),
            reservations,
            disk: None,
            revocable,
            shared: false,
            provider: provider.then(|| "x".into()),
        };
        Resource::new(Name::new(name), Value::Scalar(Scalar(amount)), detail)
    }
}

fn disks() -> impl Strategy<Value = Resource> {
    use DiskSourceKind::{Block, Mount, Path, Raw};
    let sources = vec![
        source(Path, Some("/p"), None),
        source(Mount, Some("/m"), None),
        source(Block, None, Some("b")),
        source(Raw, None, None),
        source(Raw, None, Some("r")),
    ];
    let volumes = (prop::sample::select(vec!["v", "w"]), 1_i64..3, any::<bool>());
    prop_oneof![
        (prop::sample::select(sources), 1_i64..3).prop_map(|(source, size)| disk(source, size)),
        volumes.prop_map(|(id, size, shared)| volume(id, size, shared)),
    ]
}

prop_compose! {
    /// Ranges and sets; those of an odd `side` have nothing in common with those of an even one.
    fn members(side: u64)(ports in prop::collection::vec((0_u64..40, 0_u64..8), 1..4), words in 1_u8..8,
        is_set in any::<bool>(), reservations in reservations()) -> Resource {
        let base = side % 2 * 1000;
        let intervals = ports.iter().map(|&(begin, more)| (base + begin, base + begin + more));
        let words = (0..3).filter(|bit| words >> bit & 1 == 1).map(|bit| format!("{}{bit}", ["x", "y"][side as usize % 2]));
        let (name, value) = if is_set {
            ("zones", Value::Set(Set::new(words)))
        } else {
            ("ports", Value::Ranges(Ranges::new(intervals)))
        };
        Resource::new(Name::new(name), value, Detail { reservations, ..Detail::default() })
    }
}

/// Sets of anything.
fn anything(side: u64) -> impl Strategy<Value = Resources> {
    let entry = prop_oneof![3 => amount(), 1 => disks(), 1 => members(side)];
    prop::collection::vec(entry, 0..7).prop_map(of)
}
