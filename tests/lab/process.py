"""Raingauge itself as a process of its own, as an operator starts it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.lab.ports import wait_until


class Raingauge:
    """`command`: run, agent, dashboard or dashboard --read-only, on free ports.

    A context manager; `start` again after `kill` or `stop`.
    """

    def __init__(
        self, state: Path, configuration: str = "", command: str = "run", exporter_listen: str = "127.0.0.1:0",
        dashboard_listen: str = "127.0.0.1:0",
    ) -> None:  # fmt: skip
        self.state = state
        self.command = command
        self.exporter_listen = exporter_listen
        self.dashboard_listen = dashboard_listen
        self.configuration = state / "raingauge.yml"
        self.configuration.write_text(configuration)
        self.exporter = self.dashboard = self.login = ""
        self._process: subprocess.Popen[str] | None = None
        self._tokens: dict[str, str] = {}

    def _raingauge(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "agent", "--config", str(self.configuration), *words]

    @property
    def _environment(self) -> dict[str, str]:
        return {**os.environ, "RAINGAUGE_STATE_DIR": str(self.state)}

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> Self:
        """Return once it has said where it answers."""
        listen = []
        if "--read-only" not in self.command:
            listen += ["--exporter-listen", self.exporter_listen]
        if self.command != "agent":
            listen += ["--dashboard-listen", self.dashboard_listen]
        with (self.state / "log").open("a") as log:
            self._process = subprocess.Popen(
                self._raingauge(*self.command.split(), *listen, "--json"),
                stdout=subprocess.PIPE, stderr=log, text=True, env=self._environment,
            )  # fmt: skip
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self.kill()
            raise AssertionError(f"raingauge {self.command} ended:\n{self.log()}")
        found = json.loads(line)
        self.exporter, self.dashboard, self.login = (found.get(key, "") for key in ("exporter", "dashboard", "login"))
        return self

    def token(self, scope: str = "read") -> str:
        if scope not in self._tokens:
            self._tokens[scope] = self.says("token", "create", "--scope", scope).strip()
        return self._tokens[scope]

    def says(self, *words: str) -> str:
        """What another command prints, beside this process."""
        command = self._raingauge(*words)
        return subprocess.run(command, env=self._environment, check=True, capture_output=True, text=True).stdout

    def log(self) -> str:
        return (self.state / "log").read_text()

    def hup(self) -> None:
        os.kill(self.pid, signal.SIGHUP)

    def stop(self, seconds: float = 60) -> int:
        """SIGTERM; the exit code. TimeoutExpired when it goes on for longer."""
        return self._end(signal.SIGTERM, seconds)

    def kill(self) -> None:
        self._end(signal.SIGKILL, 60)

    def _end(self, how: signal.Signals, seconds: float) -> int:
        assert self._process is not None
        self._process.send_signal(how)
        code = self._process.wait(seconds)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return code

    def until_logged(self, text: str, seconds: float = 20) -> None:
        wait_until(lambda: text in self.log(), seconds, f"the log says {text!r}")

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()
