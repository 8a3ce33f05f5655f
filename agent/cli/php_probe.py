"""`raingauge php-probe`."""

from importlib import resources
from pathlib import Path

import click


@click.command("php-probe")
@click.option(
    "--to", "file", type=click.Path(dir_okay=False, path_type=Path),
    help="File to write it to, readable for all; its folder is made if it is not there.",
)  # fmt: skip
def command(file: Path | None) -> None:
    """Print the script that tells OPcache and APCu from inside a PHP-FPM pool. Read docs/php.md before you install it.

    It answers Raingauge alone, never a request that came through a web server.
    """
    script = (resources.files("collectors.phpfpm") / "probe.php").read_text(encoding="utf-8")
    if file is None:
        click.echo(script, nl=False)
        return
    try:
        file.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        file.write_text(script, encoding="utf-8")
        file.chmod(0o644)
    except OSError as error:
        raise click.ClickException(f"cannot write {file}: {error.strerror or error}") from error
    click.echo(file)
