"""Running another program for what it prints, within bounds of time and size."""

import os
import selectors
import shutil
import subprocess
import time
from collections.abc import Sequence
from typing import NamedTuple

from collectors.errors import Denied, ParseError, Unreachable, Unsupported

MOST_BYTES = 4_000_000
PIECE_BYTES = 65_536


class Finished(NamedTuple):
    code: int
    output: str
    errors: str


def program(name: str) -> str:
    """Its path. Unsupported when it is not installed."""
    if found := shutil.which(name):
        return found
    raise Unsupported(f"{name}: no such program")


def run(command: Sequence[str], timeout: float) -> Finished:
    """Unreachable when it does not end in time, ParseError when it prints too much; then it is killed."""
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
    try:
        process = subprocess.Popen(  # noqa: S603 - no shell reads it
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
        )
    except FileNotFoundError as error:
        raise Unsupported(f"{command[0]}: no such program") from error
    except PermissionError as error:
        raise Denied(f"{command[0]}: no right to run it") from error
    with process:
        try:
            output, errors = _outputs(process, command[0], time.monotonic() + timeout)
        except TimeoutError as error:
            raise Unreachable(f"{command[0]}: no end within {timeout:g} s") from error
        finally:
            process.kill()  # it has ended, or it shall
    return Finished(process.returncode, output.decode(errors="replace"), errors.decode(errors="replace"))


def _outputs(process: subprocess.Popen[bytes], name: str, until: float) -> tuple[bytes, bytes]:
    """What it wrote to its two outputs until it ended. TimeoutError."""
    pipes = [pipe for pipe in (process.stdout, process.stderr) if pipe]
    parts = {pipe: bytearray() for pipe in pipes}
    with selectors.DefaultSelector() as waiting:
        for pipe in pipes:
            waiting.register(pipe, selectors.EVENT_READ)
        while waiting.get_map():
            ready = waiting.select(max(0, until - time.monotonic()))
            if not ready:
                raise TimeoutError
            for key, _ in ready:
                pipe = next(each for each in pipes if each is key.fileobj)
                piece = os.read(pipe.fileno(), PIECE_BYTES)
                if not piece:
                    waiting.unregister(pipe)
                parts[pipe] += piece
                if len(parts[pipe]) > MOST_BYTES:
                    raise ParseError(f"{name}: expected at most {MOST_BYTES} bytes, found more")
            if time.monotonic() > until:
                raise TimeoutError
    try:
        process.wait(max(0, until - time.monotonic()))
    except subprocess.TimeoutExpired as error:
        raise TimeoutError from error
    first, second = (bytes(parts[pipe]) for pipe in pipes)
    return first, second
