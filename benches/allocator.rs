//! The allocator alone: adding agents, taking all offers back, offering all again. The workloads and their sizes are those
//! of `mesosim bench allocator`, which measures more of them and needs no statistics.

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use mesosim::bench::allocator::{AllocatorBench, SIZES, Size};

/// The sizes that take milliseconds.
fn sizes() -> impl Iterator<Item = &'static Size> {
    SIZES.iter().filter(|size| size.agents <= 10_000)
}

fn name(size: &Size) -> String {
    format!("{} x {} ({})", size.agents, size.frameworks, size.roles)
}

fn with_all_offered(size: Size) -> AllocatorBench {
    let mut bench = AllocatorBench::new(size);
    bench.add_agents_at_once();
    bench
}

fn add_agents(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("add all agents, one allocation each");
    group.sample_size(10);
    for size in sizes() {
        group.throughput(Throughput::Elements(size.agents as u64));
        group.bench_function(BenchmarkId::from_parameter(name(size)), |bencher| {
            bencher.iter_batched_ref(
                || AllocatorBench::new(*size),
                AllocatorBench::add_agents,
                BatchSize::LargeInput,
            );
        });
    }
}

fn cycle(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("recover all offers and allocate again");
    group.sample_size(20);
    for size in sizes() {
        group.throughput(Throughput::Elements(size.agents as u64));
        let mut bench = with_all_offered(*size);
        group.bench_function(BenchmarkId::from_parameter(name(size)), |bencher| {
            bencher.iter(|| {
                bench.recover(None);
                bench.allocate()
            });
        });
    }
}

fn nothing_changed(criterion: &mut Criterion) {
    let mut bench = with_all_offered(Size { agents: 10_000, frameworks: 200, roles: 200 });
    bench.allocate();
    criterion.bench_function("a cycle in which nothing changed, 10000 agents", |bencher| {
        bencher.iter(|| bench.allocate());
    });
}

criterion_group!(benches, add_agents, cycle, nothing_changed);
criterion_main!(benches);
