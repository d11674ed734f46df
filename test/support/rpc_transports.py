"""The ways of speaking Thrift that a test tries, through Debian's python3-thrift. Import it after the generated code's
folder stands in sys.path."""

from contextlib import contextmanager

from thrift.protocol import TBinaryProtocol, TCompactProtocol
from thrift.transport import THttpClient, TSocket, TTransport

BUFFERED, FRAMED = TTransport.TBufferedTransport, TTransport.TFramedTransport
BINARY = TBinaryProtocol.TBinaryProtocol
ACCELERATED = TBinaryProtocol.TBinaryProtocolAccelerated
COMPACT = TCompactProtocol.TCompactProtocol
COMPACT_ACCELERATED = TCompactProtocol.TCompactProtocolAccelerated

WAYS = {
    "buffered binary": (BUFFERED, BINARY),
    "buffered binary accelerated": (BUFFERED, ACCELERATED),
    "framed binary": (FRAMED, BINARY),
    "framed binary accelerated": (FRAMED, ACCELERATED),
    "buffered compact": (BUFFERED, COMPACT),
    "framed compact": (FRAMED, COMPACT),
    "framed compact accelerated": (FRAMED, COMPACT_ACCELERATED),
    "http binary": (None, BINARY),
    "http compact": (None, COMPACT),
}


@contextmanager
def protocol_for(way, port, http_port):
    transport_class, protocol_class = WAYS[way]
    if transport_class is None:
        transport = THttpClient.THttpClient(f"http://127.0.0.1:{http_port}/rpc")
        transport.setTimeout(30_000)
    else:
        socket = TSocket.TSocket("127.0.0.1", port)
        socket.setTimeout(30_000)
        transport = transport_class(socket)
    transport.open()
    try:
        yield protocol_class(transport)
    finally:
        transport.close()
