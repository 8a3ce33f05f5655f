"""Postfix with a queue of its own, listening nowhere, that keeps everything for later. Only root can start one."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tests.lab.servers import Server, binary

MASTER = "/usr/lib/postfix/sbin/master"
SERVICES = """\
pickup unix n - n 60 1 pickup
qmgr unix n - n 300 1 qmgr
cleanup unix n - n - 0 cleanup
showq unix n - n - - showq
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix(Server):
    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.queue = directory / "queue"
        self.configuration = directory / "conf"
        self.address = str(self.queue / "public" / "qmgr")
        for path in (self.queue, self.configuration, directory / "data"):
            path.mkdir()
        shutil.chown(directory / "data", "postfix")
        (self.configuration / "main.cf").write_text(
            f"compatibility_level = 3.6\nqueue_directory = {self.queue}\ndata_directory = {directory}/data\n"
            "daemon_directory = /usr/lib/postfix/sbin\ncommand_directory = /usr/sbin\nmail_owner = postfix\n"
            "setgid_group = postdrop\ninet_interfaces = loopback-only\nmydestination =\nmyhostname = lab.example\n"
            "defer_transports = smtp\nmaillog_file = /dev/stdout\n"
        )
        (self.configuration / "master.cf").write_text(SERVICES)

    def start(self) -> Self:
        check = [binary("postfix"), "-c", str(self.configuration), "check"]  # makes the queue's directories
        subprocess.run(check, check=True, capture_output=True)
        return super().start()

    def command(self) -> Sequence[str]:
        return [MASTER, "-c", str(self.configuration), "-s"]

    def send(self, to: str) -> None:
        subprocess.run(
            [binary("sendmail"), "-f", "editor@lab.example", to], input=b"Subject: lab\n\nA message.\n", check=True,
            env={**os.environ, "MAIL_CONFIG": str(self.configuration)},
        )  # fmt: skip
