#!/usr/bin/env python3
# Finds the values that lie far from the others, with Python's own statistics.
import statistics
from typing import Annotated, List, TypedDict

from madhava import Bounds, Context, kind, main


class Outliers(TypedDict):
    median: float
    outliers: List[float]


@kind(example={"values": [10, 11, 9, 10, 55]}, soft_seconds=600)
def outliers(
    ctx: Context,
    values: Annotated[List[float], Bounds(min_length=1, max_length=1_000_000)],
    times: Annotated[float, Bounds(gt=0), "how many times the usual distance is far"] = 5,
) -> Outliers:
    """Finds the values that lie far from the others"""
    median = statistics.median(values)
    ctx.progress(50, f"the median is {median:g}")
    usual = statistics.median(abs(value - median) for value in values)
    return {"median": median, "outliers": [value for value in values if abs(value - median) > times * usual]}


if __name__ == "__main__":
    main()
