"""Activity options by the kind of work, each with its reason; no other file sets a timeout or a retry."""

from datetime import timedelta
from typing import TypedDict

from temporalio.common import Priority, RetryPolicy

CORE, DOCUMENTS, BULK = "core", "documents", "bulk"


class Options(TypedDict, total=False):
    """What `execute_activity` takes besides the activity and its argument."""

    task_queue: str
    start_to_close_timeout: timedelta
    schedule_to_start_timeout: timedelta
    heartbeat_timeout: timedelta
    retry_policy: RetryPolicy


class LocalOptions(TypedDict, total=False):
    """What `execute_local_activity` takes besides the activity and its argument."""

    start_to_close_timeout: timedelta
    schedule_to_close_timeout: timedelta
    retry_policy: RetryPolicy


# An outage is waited out: a process never ends because a database or a provider was away.
PATIENT = RetryPolicy(
    initial_interval=timedelta(milliseconds=200), backoff_coefficient=2.0, maximum_interval=timedelta(seconds=10)
)

# One short transaction. Ten seconds bound how long a killed worker's step is missed.
QUICK_WRITE = Options(task_queue=CORE, start_to_close_timeout=timedelta(seconds=10), retry_policy=PATIENT)

# One set-based transaction over up to 50,000 seats, by a step that shows signs of life (activities.beating): a killed
# worker is missed within ten seconds.
BEATING_WRITE = Options(
    task_queue=CORE,
    start_to_close_timeout=timedelta(seconds=120),
    heartbeat_timeout=timedelta(seconds=10),
    retry_policy=PATIENT,
)

# The gateway itself gives up after five seconds and answers "unknown".
PROVIDER_CALL = Options(task_queue=CORE, start_to_close_timeout=timedelta(seconds=8), retry_policy=PATIENT)

# Unknown results are looked up until the provider's word is final; the process waits, it does not guess.
UNTIL_DECIDED = Options(
    task_queue=CORE,
    start_to_close_timeout=timedelta(seconds=8),
    retry_policy=RetryPolicy(
        initial_interval=timedelta(milliseconds=500), backoff_coefficient=1.5, maximum_interval=timedelta(seconds=5)
    ),
)

# A long list takes WeasyPrint a while; the worker may die over it, and another takes it up ten seconds later.
RENDER = Options(
    task_queue=DOCUMENTS,
    start_to_close_timeout=timedelta(minutes=3),
    heartbeat_timeout=timedelta(seconds=10),
    retry_policy=PATIENT,
)

# Hundreds of papers may wait for a letter that nobody sits in front of.
FIRST, NEXT, LATER = Priority(priority_key=1), Priority(priority_key=3), Priority(priority_key=4)

# One short transaction inside the workflow task, where a booking's speed counts: one event instead of three.
QUICK_LOCAL = LocalOptions(start_to_close_timeout=timedelta(seconds=5), retry_policy=PATIENT)

# One provider call inside the workflow task: less than the task's ten seconds, and tried once, because a task that waits
# longer fills the history with signs of life. The caller goes on by PROVIDER_CALL.
PROVIDER_LOCAL = LocalOptions(start_to_close_timeout=timedelta(seconds=7), retry_policy=RetryPolicy(maximum_attempts=1))
