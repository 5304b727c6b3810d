"""MLflow's own store on the same Postgres: log_batch of 1,000 metrics, its largest, called directly, without its server in between."""
import json
import sys
import threading
import time

from mlflow.entities import Metric
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

url, artifacts, seconds, threads = sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
BATCH = 1000
METRICS = 8

store = SqlAlchemyStore(url, artifacts)
experiment = store.create_experiment(f"bench-{time.time_ns()}")
runs = [
    store.create_run(experiment, "bench", int(time.time() * 1000), [], f"run-{i}").info.run_id for i in range(threads)
]


def batch(first_step):
    now = int(time.time() * 1000)
    return [
        Metric(f"train/metric_{i % METRICS}", (i * 0.7) % 1.3, now + i // METRICS, first_step + i // METRICS)
        for i in range(BATCH)
    ]


def work(run_id, end, counts, i):
    step = 0
    while time.monotonic() < end:
        store.log_batch(run_id, batch(step), [], [])
        step += BATCH // METRICS
        counts[i] += BATCH


counts = [0] * threads
work(runs[0], time.monotonic() + 1, [0] * threads, 0)
began = time.monotonic()
workers = [threading.Thread(target=work, args=(r, began + seconds, counts, i)) for i, r in enumerate(runs)]
for worker in workers:
    worker.start()
for worker in workers:
    worker.join()
took = time.monotonic() - began
print(json.dumps({"points": sum(counts), "seconds": took, "points_per_s": sum(counts) / took}))
