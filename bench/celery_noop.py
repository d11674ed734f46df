"""The task that does nothing, as Celery has it; broker and backend come from the environment."""
import os

from celery import Celery

app = Celery("celery_noop", broker=os.environ["BROKER_URL"], backend=os.environ["RESULT_BACKEND"])
app.conf.update(task_acks_late=True, broker_connection_retry_on_startup=True)


@app.task(name="noop")
def noop():
    return None
