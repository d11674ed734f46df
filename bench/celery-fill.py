"""Puts so many no-op tasks into Celery's queue: celery-fill.py COUNT."""
import sys

from celery_noop import app, noop

with app.producer_or_acquire() as producer:
    for _ in range(int(sys.argv[1])):
        noop.apply_async(producer=producer)
