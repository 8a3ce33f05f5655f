"""Web servers that log as people have them log, each request answered as its path asks for: `/x?status=404`."""

import socket
from collections.abc import Sequence
from pathlib import Path

from tests.lab.ports import free_port
from tests.lab.servers import AS_ROOT, TEMPORARY, Nginx, Server, binary

TIMED = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" '
    'rt=$request_time urt=$upstream_response_time ucs=$upstream_cache_status dc="$upstream_http_x_drupal_cache" '
    'ddc="$upstream_http_x_drupal_dynamic_cache" host=$host'
)
OBJECT = (
    '{"time":"$time_iso8601","host":"$host","remote_addr":"$remote_addr","request_method":"$request_method",'
    '"request_uri":"$request_uri","status":$status,"body_bytes_sent":$body_bytes_sent,"request_time":$request_time,'
    '"http_user_agent":"$http_user_agent","http_referer":"$http_referer"}'
)
FORMATS = {
    "combined": "",
    "timed": f"log_format timed '{TIMED}';",
    "json": f"log_format json escape=json '{OBJECT}';",
}
MODULES = Path("/usr/lib/apache2/modules")


class LoggingNginx(Nginx):
    """`shop.example` and `www.shop.example` are one site, `docs.example` another; both ask a third server."""

    def __init__(self, directory: Path, format_name: str = "timed", php: str = "") -> None:
        super().__init__(directory)
        self.log = directory / "access.log"
        port = self.port
        passed = f"proxy_pass http://127.0.0.1:{port}; proxy_set_header Host backend.example;"
        if php:
            passed = (
                f"include /etc/nginx/fastcgi_params; fastcgi_pass unix:{php};"
                f" fastcgi_param SCRIPT_FILENAME {directory}/index.php;"
            )
        sites = "".join(
            f"  server {{ listen 127.0.0.1:{port}; server_name {names}; root {root};\n"
            f"    location / {{ {passed} }}\n  }}\n"
            for names, root in (("shop.example www.shop.example", "/srv/shop"), ("docs.example", "/srv/docs"))
        )
        self.configuration.write_text(
            f"{'user www-data;' if AS_ROOT else ''}\nworker_processes 1;\ndaemon off;\npid {directory}/nginx.pid;\n"
            f"error_log {directory}/error.log;\nevents {{ worker_connections 256; }}\nhttp {{\n"
            + "".join(f"  {kind}_temp_path {directory}/{kind};\n" for kind in TEMPORARY)
            + f"  {FORMATS[format_name]}\n  access_log {self.log} {format_name};\n  keepalive_timeout 0;\n{sites}"
            f"  server {{ listen 127.0.0.1:{port}; server_name backend.example; access_log off;\n"
            f"    add_header X-Drupal-Cache $arg_cache always;\n"
            "    if ($arg_status = 404) { return 404; }\n    if ($arg_status = 500) { return 500; }\n"
            "    if ($arg_status = 302) { return 302 /; }\n    location / { return 200 page; }\n  }\n}\n"
        )


class LoggingApache(Server):
    """Logs as Debian's `vhost_combined` and then microseconds."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.port = free_port()
        self.address = ("127.0.0.1", self.port)
        self.log = directory / "access.log"
        self.configuration = directory / "apache2.conf"
        self.format = '%v:%p %h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i" %D'
        modules = ("mpm_event", "authz_core", "alias", "dir")
        loaded = "".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so\n" for name in modules)
        quoted = self.format.replace('"', '\\"')
        self.configuration.write_text(
            f"ServerRoot {directory}\nPidFile {directory}/apache.pid\nListen 127.0.0.1:{self.port}\n{loaded}"
            f"{'User www-data' if AS_ROOT else ''}\nServerName shop.example\nErrorLog {directory}/error.log\n"
            f'LogFormat "{quoted}" vhost_timed\nCustomLog {self.log} vhost_timed\n'
            f"<Directory />\nAllowOverride None\n</Directory>\n"  # a .htaccess above the folder is none of its own
            f"DocumentRoot {directory}/root\nRedirect 302 /moved http://shop.example/\nRedirect gone /gone\n"
        )
        (directory / "root").mkdir(exist_ok=True)
        (directory / "root" / "index.html").write_text("page\n")

    def command(self) -> Sequence[str]:
        return [binary("apache2"), "-X", "-f", str(self.configuration)]


def ask(port: int, host: str, target: str, agent: str = "Mozilla/5.0", method: str = "GET") -> int:
    """The status of one request, sent as it is written."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", "Connection: close"]
        lines += [f"User-Agent: {agent}"] if agent else []
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return int(answer.split(b" ", 2)[1])


def send(port: int, data: bytes) -> None:
    """What is no HTTP, and wait until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass
