"""A client of the service Madhava in Python: every method, in every way of speaking.

Usage: madhava_client.py <folder of generated code> <port> <HTTP port> <id of a task that runs>; prints what it saw as
one line of JSON.
"""

import hashlib
import json
import sys

sys.path.insert(0, sys.argv[1])

from rpc_transports import WAYS, protocol_for  # noqa: E402
from rpcinterface import Madhava  # noqa: E402
from rpcinterface.ttypes import (  # noqa: E402
    BadTask,
    Conflict,
    NewItem,
    NotFound,
    Refused,
    SubmitOptions,
    TaskEdit,
    TaskFilter,
    TimeLimits,
)


def error_of(call):
    try:
        call()
    except (Refused, NotFound, Conflict) as error:
        return [type(error).__name__, error.code, error.status]
    return None


def read_all(read, task):
    whole, size = b"", 1
    while len(whole) < size:
        piece = read(task, len(whole), 100_000)
        size = piece.totalBytes
        whole += piece.bytes
    return whole


def upload_all(client, whole):
    upload = client.beginUpload("from Python: \u00e9", len(whole))
    while upload.bytes < len(whole):
        upload = client.appendUpload(upload.id, upload.bytes, whole[upload.bytes : upload.bytes + 200_000])
    return client.finishUpload(upload.id, hashlib.sha256(whole).hexdigest())


def files(client):
    whole = bytes(range(256)) * 2_000
    upload = upload_all(client, whole)
    open_one = client.beginUpload("", 0)
    seen = {
        "state": [upload.state, upload.name, upload.bytes, upload.length],
        "open": [open_one.name, open_one.length, open_one.type, open_one.sha256],
        "same": read_all(client.readUpload, upload.id) == whole,
        "listed": upload.id in [one.id for one in client.listUploads(200, "").uploads],
        "errors": [
            error_of(lambda: client.appendUpload(open_one.id, 7, b"x")),
            error_of(lambda: client.readUpload(open_one.id, 0, 0)),
            error_of(lambda: client.beginUpload("", 2**63 - 1)),
            error_of(lambda: client.readArtifact(upload.id, "x", 0, 0)),
        ],
    }
    client.deleteUpload(upload.id)
    client.deleteUpload(open_one.id)
    seen["deleted"] = error_of(lambda: client.getUpload(upload.id))
    return seen


def shared_list(client):
    item = client.createItem(NewItem(title=" Water \u00e9 ", assignee="ann"))
    edited = client.editTask(item.id, TaskEdit(description="twice", assignee=""), item.version)
    seen = {
        "item": [item.kind, item.title, item.doneBy, json.loads(item.params)],
        "edited": [edited.title, edited.description, json.loads(edited.params)],
        "late": error_of(lambda: client.editTask(item.id, TaskEdit(title="x"), item.version)),
        "done": json.loads(client.completeTask(item.id, "wet", edited.version).result),
        "again": error_of(lambda: client.completeTask(item.id, "", "")),
    }
    client.purgeTask(item.id)
    return seen


def talk(protocol, running):
    client = Madhava.Client(protocol)
    client.ping()
    options = SubmitOptions(priority=9, title="from Python: \u00e9", limits=TimeLimits(hardSeconds=2.5))
    task = client.submitTask("calcpi", json.dumps({"digits": 7}), options)
    unchanged = client.waitTask(task.id, task.version, 10)
    cancelled = client.cancelTask(task.id)
    page = client.pageTasks(TaskFilter(statuses=["REVOKED"], text=task.id), 10, "")
    big = client.pageTasks(TaskFilter(statuses=["SUCCESS"]), 1, "").tasks[0]
    host = client.hostStatus()
    seen = {
        "version": client.version(),
        "task": [task.id, task.kind, json.loads(task.params), task.priority, task.title, task.limits.hardSeconds],
        "unset": [task.result, task.resultBytes, task.progress, task.limits.softSeconds],
        "unchanged": unchanged.version == task.version,
        "cancelled": [cancelled.outcome, cancelled.task.status],
        "page": [[one.id for one in page.tasks], page.nextCursor],
        "again": client.retryTask(task.id).status,
        "purged": error_of(lambda: client.purgeTask(task.id)),
        "big": [big.resultBytes, big.resultTruncated, read_all(client.readResult, big.id).decode()[-10:]],
        "log": read_all(client.readLog, big.id).decode(),
        "kinds": [kind.name for kind in client.listKinds()],
        "host": [host.hostName, host.memory.totalBytes, host.disks[0].totalBytes, host.cpu.loadPercent],
        "queue": client.queueStatus().status,
        "requested": client.cancelTask(running).outcome,
        "errors": [
            error_of(lambda: client.getTask("0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f")),
            error_of(lambda: client.getTask("x")),
            error_of(lambda: client.submitTask("calcpi", '{"digits": -1}', SubmitOptions())),
            error_of(lambda: client.submitTask("calcpi", "{", SubmitOptions())),
        ],
        "original": client.getTaskStatus(task.id).status,
        "files": files(client),
        "list": shared_list(client),
        "nobody": client.me().account is None,
        "wrong": error_of(lambda: client.authenticate("wrong")),
        "authenticated": error_of(lambda: client.authenticate("ann")) or client.me().account.name,
    }
    try:
        client.getTaskStatus("x")
    except BadTask as bad:
        seen["bad"] = bad.error_code
    return seen


seen = {}
for way in WAYS:
    with protocol_for(way, int(sys.argv[2]), int(sys.argv[3])) as protocol:
        seen[way] = talk(protocol, sys.argv[4])
print(json.dumps(seen))
