"""The mail queue of this host, Postfix's or Exim's: how many messages wait, how large they are, and since when.

Source: https://www.postfix.org/QSHAPE_README.html https://www.exim.org/exim-html-current/doc/html/spec_html/ch-format_of_spool_files.html
"""

from collections.abc import Iterable

from collectors.inventory import Inventory
from collectors.mail import queue, server
from collectors.mail.config import EXIM, POSTFIX, Mail
from collectors.model import Collector, Part, Proposal

HASHED = " ".join(f"deferred/{name:X}" for name in range(16))
REMEDY = {
    "postfix": f"""\
as root, so that Raingauge may list the queues, and open no message (setfacl is in the package acl):
    cd {POSTFIX}
    install -d -o postfix -m 0700 {HASHED}
    setfacl -m u:raingauge:rx {" ".join(queue.QUEUES)} deferred/?
(`postfix set-permissions`, which an upgrade of Postfix runs, takes it away again)""",
    "exim": """\
usermod --append --groups Debian-exim raingauge
(then start Raingauge anew)""",
}


def discover(inventory: Inventory) -> Iterable[Proposal]:
    """One by its daemon: a host has one queue that programs give their mail to."""
    for process in inventory.processes:
        for name, spool in (("postfix", POSTFIX), ("exim", EXIM)):
            if server.is_daemon(name, process.title):
                found = f"{name.capitalize()} (pid {process.pid})"
                yield Proposal(found, Mail.model_validate({"server": name, "spool": spool}), REMEDY[name])


COLLECTOR = Collector(
    "mail",
    "mail",
    Mail,
    parts=(
        Part("server", server.FAMILIES, server.read, server.parse),
        Part("queue", queue.FAMILIES, queue.read, queue.parse, interval=30),
    ),
    instance=lambda _config, host: host,
    discover=discover,
    grants="To list the queues' directories: an ACL for those of Postfix, the group `Debian-exim` for those of Exim.",
)
