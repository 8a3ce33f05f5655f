"""Servers that have a million of something, each in its own protocol, whatever they are asked for."""

import itertools
import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

MILLION = 1_000_000
AT_ONCE = 10_000

Talk = Callable[[socket.socket], None]


@contextmanager
def serving(talk: Talk) -> Iterator[int]:
    """Its port; `talk` has each connection for itself."""

    class Each(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.settimeout(30)
            with suppress(OSError):  # the other side has had enough
                talk(self.request)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Each) as server:
        server.daemon_threads = True
        server.block_on_close = False
        thread = threading.Thread(target=server.serve_forever, args=[0.02], daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def send(client: socket.socket, rows: Iterable[bytes]) -> None:
    rest = iter(rows)
    while some := b"".join(itertools.islice(rest, AT_ONCE)):
        client.sendall(some)


def numbered(form: bytes) -> Iterator[bytes]:
    return (form % number for number in range(MILLION))


def packet(number: int, body: bytes) -> bytes:
    return struct.pack("<I", len(body))[:3] + bytes([number % 256]) + body


def text(words: bytes) -> bytes:
    return bytes([len(words)]) + words


GREETING = packet(
    0,
    b"\x0a5.5.5-10.11.6-MariaDB\0\1\0\0\0saltsalt\0\xff\xf7\x2d\2\0\xff\x81\x15" + b"\0" * 10
    + b"saltsaltsalt\0mysql_native_password\0",
)  # fmt: skip
FINE = b"\0\0\0\2\0\0\0"
END = b"\xfe\0\0\2\0"
NAME = b"\x03def\0\0\0\x01a\0\x0c" + struct.pack("<HIBHB", 45, 1024, 253, 0, 0) + b"\0\0"


def mysql(client: socket.socket) -> None:
    """Of every statement but SET the answer has a million rows of two columns, a name and a number."""
    client.sendall(GREETING)
    client.recv(1000)
    client.sendall(packet(2, FINE))
    while asked := client.recv(100_000):
        if asked[4:5] != b"\x03":  # COM_QUERY
            return
        if asked[5:8].upper() == b"SET" and b" FOR SELECT" not in asked.upper():
            client.sendall(packet(1, FINE))
            continue
        head = (b"\x02", NAME, NAME, END)
        client.sendall(b"".join(packet(number, body) for number, body in enumerate(head, 1)))
        send(client, (packet(number + 5, text(b"site%d" % number) + text(b"1")) for number in range(MILLION)))
        client.sendall(packet(MILLION + 5, END))


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


LET_IN = message(b"R", b"\0\0\0\0") + message(b"S", b"server_version\x0015.4\0") + message(b"Z", b"I")
ONE_COLUMN = message(b"T", b"\0\x01" + b"a\0" + struct.pack("!IhIhih", 0, 0, 114, -1, -1, 0))
DONE = message(b"C", b"SELECT 1\0") + message(b"Z", b"I")


def row(number: int) -> bytes:
    json = b'{"monitors":true,"datid":%d,"datname":"site%d","numbackends":1,"size":8192}' % (number, number)
    return message(b"D", b"\0\x01" + struct.pack("!I", len(json)) + json)


def postgres(client: socket.socket) -> None:
    """A million rows for every statement but the first, which asks who we are."""
    client.recv(1000)
    client.sendall(LET_IN)
    count = 1
    while client.recv(100_000)[:1] == b"Q":
        client.sendall(ONE_COLUMN)
        send(client, map(row, range(count)))
        client.sendall(DONE)
        count = MILLION


def redis(client: socket.socket) -> None:
    """INFO names a million databases, and everything else is a list of as many words."""
    while asked := client.recv(100_000):
        if b"INFO" in asked.upper():
            info = b"redis_version:7.0.15\r\n# Keyspace\r\n" + b"".join(
                numbered(b"db%d:keys=1,expires=0,avg_ttl=0\r\n")
            )
            client.sendall(b"$%d\r\n%b\r\n" % (len(info), info))
        elif b"HELLO" in asked.upper() or b"CLIENT" in asked.upper():
            client.sendall(b"+OK\r\n")
        else:
            client.sendall(b"*%d\r\n" % MILLION)
            send(client, numbered(b"$8\r\n%08d\r\n"))


def memcached(client: socket.socket) -> None:
    """A million slabs."""
    while client.recv(1000):
        send(client, numbered(b"STAT items:%d:number 1\r\n"))
        client.sendall(b"END\r\n")
