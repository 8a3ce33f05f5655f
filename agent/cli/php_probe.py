"""`raingauge php-probe`."""

from importlib import resources

import click


@click.command("php-probe")
def command() -> None:
    """Print the script that tells OPcache and APCu from inside a PHP-FPM pool. Read docs/php.md before you install it.

    It answers Raingauge alone: never a request that came through a web server.
    """
    click.echo((resources.files("collectors.phpfpm") / "probe.php").read_text(encoding="utf-8"), nl=False)
