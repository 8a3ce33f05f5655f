"""Debian's Apache with a private configuration and a free port, with PHP by its module or by a pool."""

from collections.abc import Sequence
from pathlib import Path

from tests.lab.ports import free_port
from tests.lab.servers import AS_ROOT, Server, binary

MODULES = Path("/usr/lib/apache2/modules")
PROXY = ("proxy", "proxy_http", "proxy_fcgi", "proxy_balancer", "slotmem_shm", "lbmethod_byrequests")
STATUS = '<Location "/server-status">\n  SetHandler server-status\n  Require local\n</Location>\nProxyStatus On\n'


class Apache(Server):
    """Serves `root`, PHP through `fastcgi` or by mod_php, and server-status in every vhost.

    `more` are further lines of the configuration, inside no section.
    """

    def __init__(
        self,
        directory: Path,
        root: Path | None = None,
        *,
        fastcgi: str = "",
        mod_php: bool = False,
        status: bool = True,
        more: str = "",
    ) -> None:
        super().__init__(directory)
        if AS_ROOT:
            for parent in (directory, *directory.parents):
                if parent.stat().st_mode & 0o011 != 0o011:  # its own user must get to what it serves
                    parent.chmod(parent.stat().st_mode | 0o011)
        self.port = free_port()
        self.address = ("127.0.0.1", self.port)
        self.url = f"http://127.0.0.1:{self.port}"
        self.configuration = directory / "apache2.conf"
        # Debian's PHP module is not made for threads.
        names = ("mpm_prefork" if mod_php else "mpm_event", "authz_core", "authz_host", "status", "dir", "mime", *PROXY)
        load = [f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in names]
        load += [f"LoadModule php_module {max(MODULES.glob('libphp*.so'))}"] if mod_php else []
        user = "User www-data\nGroup www-data\n" if AS_ROOT else ""
        handler = f"proxy:unix:{fastcgi}|fcgi://localhost" if fastcgi else "application/x-httpd-php" if mod_php else ""
        php = f'<FilesMatch "\\.php$">\n  SetHandler "{handler}"\n</FilesMatch>\n' if handler else ""
        self.configuration.write_text(
            "\n".join(load) + f"\n{user}PidFile {directory}/apache2.pid\nDefaultRuntimeDir {directory}\n"
            f"Mutex file:{directory}\nErrorLog {directory}/error.log\nTypesConfig /dev/null\nKeepAlive On\n"
            f'LogFormat "%h %l %u %t \\"%r\\" %>s %O" common\nCustomLog access.log common\n'
            # As Debian has it: a .htaccess that some program left in /tmp is none of ours.
            "<Directory />\n  AllowOverride None\n</Directory>\n"
            f"Listen 127.0.0.1:{self.port}\nServerName lab.example\n{STATUS if status else ''}{php}"
            f"<VirtualHost 127.0.0.1:{self.port}>\n  ServerName lab.example\n  DocumentRoot {root or directory}\n"
            f"</VirtualHost>\n<Directory {root or directory}>\n  Require all granted\n</Directory>\n{more}"
        )

    def command(self) -> Sequence[str]:
        # In a session of its own, because the prefork module ends its whole process group.
        return ["setsid", binary("apache2"), "-d", str(self.directory), "-f", str(self.configuration),
                "-D", "FOREGROUND"]  # fmt: skip
