#!/usr/bin/env python3
"""The program of the suite of runners, in Python: the kind of acts.ts."""

from __future__ import annotations

import hashlib
import subprocess
import signal
import time
from typing import Any, Dict, List, Optional, Union

from madhava import Context, Failure, Upload, kind, main


@kind(example={"act": "give", "value": "x"}, retry={"delay_seconds": 0, "retry_on": ["TRY_AGAIN"]})
def acts(
    ctx: Context, act: str = "give", value: Any = None, file: Optional[Upload] = None
) -> Union[str, float, List[Any], Dict[str, Any]]:
    """Does what the test says"""
    if act == "give":
        return value
    if act == "report":
        ctx.progress(25, "a quarter", [1, 2])
        time.sleep(600)
        return "never"
    if act == "say":
        print("printed")
        ctx.log("told")
        ctx.log("a warning", "warn")
        return "said"
    if act == "count":
        start = ctx.resume or 0
        for n in range(start, value):
            ctx.checkpoint(n)
            ctx.progress(n, f"at {n}")
            time.sleep(0.02)
        return {"from": start, "attempt": ctx.attempt}
    if act == "spread":
        return [ctx.submit("acts", {"value": "child"}, key="k", title="one") for _ in range(2)]
    if act == "keep":
        return ctx.artifact("kept.txt", value, type="text/plain").bytes
    if act == "read":
        assert file is not None
        with file.open() as content:
            return {"name": file.name, "sha256": hashlib.sha256(content.read()).hexdigest()}
    if act == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        subprocess.Popen(["sleep", value])
        ctx.progress(1, "deaf")
        while True:
            pass
    if act == "fail":
        raise Failure(value["message"], code=value["code"])
    if act == "swallow":
        held = []
        while True:
            held.append(b"1" * 1024 * 1024)
            time.sleep(0.005)
    if act == "leave":
        subprocess.Popen(["sleep", value], start_new_session=True)
        return "left"
    raise ValueError(f"there is no act {act}")


if __name__ == "__main__":
    main()
