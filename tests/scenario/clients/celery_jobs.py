"""A Celery application and its scenarios: celery_jobs.py NAME starts a worker of its own and gives it work."""
import os
import subprocess
import sys
import time

from celery import Celery, chain, group

BROKER = f"amqp://guest:guest@{os.environ['AMQP_HOST']}:{os.environ['AMQP_PORT']}//"
QUEUE = os.environ["AMQP_PREFIX"] + ".celery"

app = Celery("celery_jobs", broker=BROKER, backend="rpc://")
app.conf.update(task_default_queue=QUEUE, task_acks_late=True, worker_prefetch_multiplier=2, result_expires=60,
                worker_send_task_events=True, broker_connection_retry_on_startup=True, worker_hijack_root_logger=False)


@app.task
def add(a, b):
    return a + b


@app.task(bind=True, max_retries=3)
def flaky(self, times):
    if self.request.retries < times:
        raise self.retry(countdown=0.2)
    return self.request.retries


@app.task
def nap(seconds):
    time.sleep(seconds)
    return os.getpid()


def results():
    jobs = [add.delay(i, i) for i in range(100)]
    assert [job.get(timeout=30) for job in jobs] == [2 * i for i in range(100)]


def retries():
    assert flaky.delay(2).get(timeout=30) == 2


def canvas():
    assert chain(add.s(1, 2), add.s(3), add.s(4))().get(timeout=30) == 10
    done = group(add.s(i, 1) for i in range(10))()
    assert done.get(timeout=30) == [i + 1 for i in range(10)]


def delayed():
    started = time.monotonic()
    assert add.apply_async((1, 1), countdown=1).get(timeout=30) == 2
    assert time.monotonic() - started >= 0.9


def scheduled():
    """How many tasks for later the workers hold."""
    held = app.control.inspect(timeout=3).scheduled() or {}
    return sum(len(tasks) for tasks in held.values())


def held_until(count):
    end = time.monotonic() + 60
    while (held := scheduled()) < count:
        assert time.monotonic() < end, f"the worker holds {held} of {count} tasks for later"


def eta():
    """A worker that holds more tasks for later than its prefetch (2) takes a task for now. For that Celery raises the limit
    of the channel with each task that it holds, if it believes that basic.qos has RabbitMQ's meaning."""
    later = [add.apply_async((i, i), countdown=3600) for i in range(10)]
    held_until(2)
    assert add.delay(1, 1).get(timeout=60) == 2
    held_until(len(later))
    assert not any(job.ready() for job in later)


def control():
    assert add.delay(1, 1).get(timeout=30) == 2     # the worker is up
    replies = app.control.ping(timeout=3)
    assert len(replies) >= 1, replies
    names = [name for reply in replies for name in reply]
    active = app.control.inspect(destination=names, timeout=3).registered()
    assert any("celery_jobs.add" in tasks for tasks in active.values()), active


def killed_worker():
    """A job that was begun by a worker that dies is done by another: task_acks_late."""
    job = nap.delay(2)
    time.sleep(1)
    workers[0].kill()
    workers[0].wait()
    start_worker()
    assert job.get(timeout=40)


SCENARIOS = {f.__name__: f for f in (results, retries, canvas, delayed, eta, control, killed_worker)}
workers = []


def start_worker():
    command = [sys.executable, "-m", "celery", "-A", "celery_jobs", "worker", "--pool", "solo", "--loglevel", "WARNING",
               "-n", f"worker{len(workers)}-{os.getpid()}@localhost"]
    workers.append(subprocess.Popen(command, cwd=os.path.dirname(os.path.abspath(__file__)), stdout=sys.stderr,
                                    env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}))


def main():
    if len(sys.argv) != 2 or sys.argv[1] not in SCENARIOS:
        print("\n".join(SCENARIOS))
        return 2
    import celery_jobs      # the tasks as the worker knows them, not as __main__'s
    celery_jobs.start_worker()
    try:
        celery_jobs.SCENARIOS[sys.argv[1]]()
    finally:
        for worker in celery_jobs.workers:
            worker.kill()
    return 0


if __name__ == "__main__":
    sys.exit(main())
