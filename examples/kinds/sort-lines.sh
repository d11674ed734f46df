#!/bin/sh
# Sorts the lines of an upload and keeps them as a file. Each line that it prints may be a call to the server; all else,
# and its error stream, go into the task's log.
set -eu

if [ "${1:-}" = --describe ]; then
  cat <<'JSON'
{
  "summary": "Sorts the lines of a file",
  "params": {
    "type": "object",
    "properties": { "file": { "x-upload": { "maxBytes": 1000000000 } } },
    "required": ["file"],
    "additionalProperties": false
  },
  "result": { "type": "integer", "description": "how many lines there are" },
  "example": { "file": { "$upload": "0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f" } },
  "limits": { "softSeconds": 3600 }
}
JSON
  exit
fi

# The first line of the input has the params and more. This program needs none of it: the upload is copied into the
# working directory, which is its own, and is removed afterwards.
LC_ALL=C sort -T . upload-* >sorted.txt

echo '{"progress": {"percent": 90, "note": "sorted"}}'
echo '{"artifact": {"path": "sorted.txt", "type": "text/plain"}}'
echo "{\"result\": $(wc -l <sorted.txt)}"
