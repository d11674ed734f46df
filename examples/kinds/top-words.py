#!/usr/bin/env python3
# Counts the words of an upload and gives the most frequent ones. It resumes: a lost attempt's counts are not lost.
from __future__ import annotations

import re
import time
from collections import Counter
from typing import Annotated, List, TypedDict

from madhava import Bounds, Context, Upload, UploadRule, kind, main


class Word(TypedDict):
    word: str
    count: int


@kind(
    example={"file": {"$upload": "0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f"}, "most": 3},
    soft_seconds=3600,
)
def top_words(
    ctx: Context,
    file: Annotated[Upload, UploadRule(max_bytes=1_000_000_000)],
    most: Annotated[int, Bounds(ge=1, le=1000), "how many words"] = 10,
) -> List[Word]:
    """Finds the most frequent words of a text"""
    start, counted = ctx.resume or (0, {})
    words = Counter(counted)
    saved = time.monotonic()
    with file.open() as text:
        text.seek(start)
        for line in text:
            words.update(re.findall(r"\w+", line.decode("utf-8", "replace").lower()))
            # each second: a checkpoint has all words
            if time.monotonic() - saved > 1:
                ctx.checkpoint([text.tell(), words])
                ctx.progress(100 * text.tell() / file.bytes, f"{len(words)} words")
                saved = time.monotonic()
    print(f"{sum(words.values())} words, {len(words)} different ones")
    return [{"word": word, "count": count} for word, count in words.most_common(most)]


if __name__ == "__main__":
    main()
