"""A small authoritative name server for one zone, over UDP and TCP on one free port of 127.0.0.1."""

import contextlib
import socket
import struct
import threading
from types import TracebackType
from typing import Self

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rrset
import dns.zone

ZONE = """
$ORIGIN shop.example.
$TTL 300
@     SOA ns.shop.example. admin.shop.example. 2026112501 3600 600 86400 300
@     NS  ns
@     A   192.0.2.1
@     A   192.0.2.2
@     MX  10 mail
@     TXT "v=spf1 -all"
ns    A   192.0.2.53
mail  A   192.0.2.25
www   CNAME @
"""


class NameServer:
    """A context manager; `silent` answers nothing at all."""

    def __init__(self, zone: str = ZONE, origin: str = "shop.example.", silent: bool = False) -> None:
        self._origin = dns.name.from_text(origin)
        self._zone = dns.zone.from_text(zone, relativize=False)
        self._silent = silent
        self._over = threading.Event()

    def __enter__(self) -> Self:
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._tcp.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", self.port))
        self._threads = [threading.Thread(target=each, daemon=True) for each in (self._serve_udp, self._serve_tcp)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._tcp.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):  # it is not connected; the thread wakes all the same
            self._udp.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(60)
        self._tcp.close()
        self._udp.close()

    def _serve_udp(self) -> None:
        while not self._over.is_set():
            data, client = self._udp.recvfrom(4096)
            if data and not self._silent:
                self._udp.sendto(self.answer(data), client)

    def _serve_tcp(self) -> None:
        while True:
            try:
                client, _ = self._tcp.accept()
            except OSError:  # it is over
                return
            with client, contextlib.suppress(OSError):
                client.settimeout(5)
                (length,) = struct.unpack(">H", client.recv(2, socket.MSG_WAITALL))
                answer = self.answer(client.recv(length, socket.MSG_WAITALL))
                client.sendall(struct.pack(">H", len(answer)) + answer)

    def answer(self, wire: bytes) -> bytes:
        question = dns.message.from_wire(wire)
        answer = dns.message.make_response(question)
        answer.flags |= dns.flags.AA
        asked = question.question[0]
        if not asked.name.is_subdomain(self._origin):
            answer.set_rcode(dns.rcode.REFUSED)
        elif (node := self._zone.get_node(asked.name)) is None:
            answer.set_rcode(dns.rcode.NXDOMAIN)
            answer.authority.append(self._of("SOA"))
        elif found := node.get_rdataset(asked.rdclass, asked.rdtype):
            answer.answer.append(dns.rrset.from_rdata_list(asked.name, found.ttl, list(found)))
            answer.authority.append(self._of("NS"))
        return answer.to_wire()

    def _of(self, kind: str) -> dns.rrset.RRset:
        found = self._zone.find_rdataset(self._origin, kind)
        return dns.rrset.from_rdata_list(self._origin, found.ttl, list(found))
