"""A client of the original interface, as its users wrote them: Debian's python3-thrift and generated code.

Usage: rpc_client.py <folder of generated code> <port> <HTTP port>; prints what it saw as one line of JSON.
"""

import json
import sys

sys.path.insert(0, sys.argv[1])

from thrift.Thrift import TApplicationException  # noqa: E402

from rpc_transports import WAYS, protocol_for  # noqa: E402
from rpcinterface import RPCcelery  # noqa: E402
from rpcinterface.ttypes import BadTask  # noqa: E402


def shown(result):
    return {
        name: getattr(result, name)
        for name in ("id", "status", "pushqtime", "starttime", "stoptime", "result")
    }


def error_of(call):
    try:
        call()
    except BadTask as bad:
        return {"BadTask": [bad.uuid, bad.error_code]}
    except TApplicationException as failed:
        return {"TApplicationException": [failed.type, failed.message]}
    return None


def talk(protocol):
    client = RPCcelery.Client(protocol)
    task = client.startCalcPi(7)
    return {
        "id": task,
        "status": shown(client.getTaskStatus(task)),
        "listed": [shown(one) for one in client.listTasks()],
        "unknown": error_of(
            lambda: client.getTaskStatus("0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f")
        ),
        "malformed": error_of(lambda: client.getTaskStatus("x" * 100)),
        "negative": error_of(lambda: client.startCalcPi(-1)),
        "after": shown(client.getTaskStatus(task)),
    }


seen = {}
for way in WAYS:
    with protocol_for(way, int(sys.argv[2]), int(sys.argv[3])) as protocol:
        seen[way] = talk(protocol)
print(json.dumps(seen))
