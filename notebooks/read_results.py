# %% [markdown]
# Waiting times by policy and framework, from `results/quickstart`. Standard library only.

# %%
import csv
import pathlib
import statistics
import sys

results = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "results/quickstart")
jobs = []
for path in sorted(results.glob("policy=*/seed=*/jobs.csv")):
    policy = path.parent.parent.name.removeprefix("policy=")
    with path.open(newline="") as file:
        jobs += [dict(row, policy=policy) for row in csv.DictReader(file)]
print(f"{len(jobs)} jobs in {results}")

# %%
print(f"{'policy':16} {'framework':12} {'jobs':>6} {'started':>8} {'mean wait s':>12} {'p99 wait s':>12}")
for policy, framework in sorted({(job["policy"], job["framework"]) for job in jobs}):
    group = [job for job in jobs if (job["policy"], job["framework"]) == (policy, framework)]
    waits = sorted(float(job["waiting_time"]) for job in group if job["waiting_time"])
    mean = statistics.fmean(waits) if waits else float("nan")
    p99 = waits[-(-99 * len(waits) // 100) - 1] if waits else float("nan")
    print(f"{policy:16} {framework:12} {len(group):6} {len(waits):8} {mean:12.2f} {p99:12.2f}")
