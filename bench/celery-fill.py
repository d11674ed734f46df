"""Puts so many no-op tasks into Celery's queue: celery-fill.py COUNT. Fails when they do not all arrive there."""
import sys
import time

from celery_noop import app, noop

PATIENCE_S = 30

count = int(sys.argv[1])
# A connection of its own, so that it is closed by AMQP's handshake: what is still on its way when a process just ends
# may be lost (seen: 136 of 100,000), and a worker would then be waited for that has nothing to do.
with app.connection_for_write() as connection:
    with app.amqp.Producer(connection) as producer:
        for _ in range(count):
            noop.apply_async(producer=producer)

with app.connection_for_read() as connection:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        # classic queues count a message a moment after they have taken it
        there = connection.default_channel.queue_declare(
            app.conf.task_default_queue, passive=True
        ).message_count
        if there == count:
            break
        if time.monotonic() > deadline:
            sys.exit(f"{there} of {count} tasks are in the queue")
        time.sleep(0.1)
