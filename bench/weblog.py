"""What reading access logs costs, beside GoAccess on the same lines: lines per CPU second, memory; and how far behind
it is on a busy host."""

import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from bench.figures import Figure
from collectors.model import State
from collectors.weblog import engine, samples
from collectors.weblog.attacks.watching import step
from collectors.weblog.config import LogFile, Weblog, WebSite
from collectors.weblog.reading import read
from tests.lab.lab import Lab

TITLE = "weblog"
PEER = "goaccess"
LINES = 500_000
RATE = 2000
"""Lines a second of a busy host."""
OPTIONS = {"combined": "COMBINED", "timed": '%h %^[%d:%t %^] "%r" %s %b "%R" "%u" rt=%T urt=%^ dc="%^" host=%v'}
"""How GoAccess is told the same format."""
AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{0}.0.{1}.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_{0} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.{0}",
    "Mozilla/5.0 (X11; Linux x86_64; rv:{0}.0) Gecko/20100101 Firefox/{0}.{1}",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; GPTBot/1.{0}; +https://openai.com/gptbot",
    "curl/8.{0}.{1}",
)
PATHS = (
    "/", "/", "/node/{0}", "/node/{0}", "/blog/{1}/post-{0}", "/products/item-{0}", "/products?f[0]=x:{1}&page={2}",
    "/user/login", "/search/node?keys=word{0}", "/sites/default/files/styles/large/public/2026-{1}/p{0}.jpg?itok=x{0}",
    "/sites/default/files/css/css_{1}.css?delta=0&language=en&theme=x", "/core/misc/drupal.js?v=10.6.{1}",
    "/themes/custom/x/logo.svg", "/taxonomy/term/{1}?page={2}", "/de/node/{0}", "/jsonapi/node/article/{0}",
    "/wp-login.php", "/nothing-{0}", "/page-{1}", "/admin/content",
)  # fmt: skip


def measure(_lab: Lab, quick: bool) -> Iterable[Figure]:
    count = LINES // 2 if quick else LINES
    with tempfile.TemporaryDirectory(prefix="raingauge-bench-") as folder:
        for name in OPTIONS:
            source = Path(folder) / f"{name}.log"
            with source.open("w") as file:
                file.writelines(lines(count, timed=name == "timed"))
            yield from _of(name, source, count)
        yield _lag(Path(folder), 10 if quick else 30)


def lines(count: int, *, timed: bool) -> Iterator[str]:
    """As a busy host of three sites has them; the same for the same count."""
    dice = random.Random(count)
    agents = [dice.choice(AGENTS).format(dice.randrange(90, 130), dice.randrange(300)) for _ in range(2000)]
    for number in range(count):
        path = dice.choice(PATHS).format(dice.randrange(20_000), dice.randrange(1, 40), dice.randrange(300))
        status = "404" if "nothing" in path or "wp-" in path else dice.choice(("200", "200", "200", "304", "302"))
        when = f"22/Nov/2026:{9 + number // 360_000:02}:{number // 6000 % 60:02}:{number // 100 % 60:02} +0000"
        client = f"203.0.{dice.randrange(4)}.{dice.randrange(250)}"
        line = (
            f'{client} - - [{when}] "GET {path} HTTP/1.1" {status} {dice.randrange(60_000)} "https://ref.example/'
            f'{dice.randrange(50)}" "{dice.choice(agents)}"'
        )
        taken = dice.expovariate(5)
        cache = dice.choice(("HIT", "MISS", "-"))
        host = dice.choice(("shop.example", "docs.example", "www.shop.example"))
        yield line + (f' rt={taken:.3f} urt={taken * 0.9:.3f} dc="{cache}" host={host}\n' if timed else "\n")


def follow(source: str, *, rules: bool = True) -> None:
    """Read all of it as the agent does, in a process of its own; `rules`: those that find attacks, too."""
    path = Path(source).with_name("access.log")
    path.write_text("")
    sites = tuple(WebSite(name=f"{name}.example", hosts=(f"{name}.example", f"www.{name}.example"))
                  for name in ("shop", "docs"))  # fmt: skip
    config = Weblog(files=(LogFile(path=str(path), site="shop.example"),), sites=sites)
    _, cursor = read(config, None)
    Path(source).rename(path)  # as if it was rotated: read from its start
    state: State = {}
    events = 0
    while True:
        payload, cursor = read(config, cursor)
        if payload is None:
            break
        state, found = step(state, payload) if rules else engine.step(state, payload)
        events += len(found)
    path.rename(source)
    print(state["lines"]["parsed"], sum(1 for _ in samples(state)), events)


def _of(name: str, source: Path, count: int) -> Iterator[Figure]:
    size = source.stat().st_size / 2**20
    command = [sys.executable, "-c", f"from bench.weblog import follow; follow({str(source)!r})"]
    spent, peak, said = _run(command)
    parsed, series, events = map(int, said.split())
    if parsed != count:
        raise AssertionError(f"expected {count} lines, found {parsed}")
    how = f"{count:,} lines, {size:.0f} MiB, read to the end in a process of its own; {series} series, {events} events"
    yield Figure(f"{name}: lines per CPU second", count / spent, "", how)
    plain = [*command[:2], f"from bench.weblog import follow; follow({str(source)!r}, rules=False)"]
    yield Figure(
        f"{name}: the same without the rules for attacks", count / _run(plain)[0], "", "no request is inspected"
    )
    yield Figure(f"{name}: peak RSS", peak, "MiB", "the same process, Python and all")
    if not shutil.which(PEER):
        yield Figure(PEER, None, "", f"{PEER} is not installed: apt-get install {PEER}")
        return
    formats = [f"--log-format={OPTIONS[name]}", "--date-format=%d/%b/%Y", "--time-format=%T"]
    theirs, their_peak, _ = _run([PEER, str(source), *formats, "--no-global-config", "-o", f"{source}.json"])
    how = "the same file to its JSON report"
    yield Figure(f"{name}: {PEER}, lines per CPU second", count / theirs, "", how)
    yield Figure(f"{name}: {PEER}, peak RSS", their_peak, "MiB", how)
    yield Figure(f"{name}: ours to the peer's: lines", theirs / spent, "times", "of the same run")
    yield Figure(f"{name}: ours to the peer's: RSS", peak / their_peak, "times", "as above")


def _lag(folder: Path, seconds: int) -> Figure:
    """The agent looks once a second: what is written right after a look waits for the next one."""
    path = folder / "busy.log"
    path.write_text("")
    config = Weblog(files=(LogFile(path=str(path), site="shop.example"),))
    _, cursor = read(config, None)
    written: list[tuple[int, float]] = []  # lines so far, when
    state: State = {}
    behind: list[float] = []
    source = lines(RATE * seconds, timed=True)
    start, looked, told = time.monotonic(), 0.0, 0
    with path.open("a") as file:
        while told < RATE * seconds:
            due = min(RATE * seconds, round((time.monotonic() - start) * RATE))
            if due > (written[-1][0] if written else 0):
                file.writelines(islice(source, due - (written[-1][0] if written else 0)))
                file.flush()
                written.append((due, time.monotonic()))
            if time.monotonic() - looked >= 1.0:
                looked = time.monotonic()
                payload, cursor = read(config, cursor)
                state, _ = step(state, payload) if payload else (state, ())
                parsed, now = state.get("lines", {}).get("parsed", 0), time.monotonic()
                behind += [now - at for count, at in written if told < count <= parsed]
                told = parsed
            time.sleep(0.02)
    p95 = sorted(behind)[round(0.95 * len(behind)) - 1]
    return Figure("lag, p95", p95, "s", f"{RATE:,} lines/s for {seconds} s, a look each second, attacks looked for")


def _run(command: list[str]) -> tuple[float, float, str]:
    """CPU seconds, MiB at most, what it printed."""
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        peak, ended = 0.0, 0
        while not ended:
            peak = max(peak, _peak(process.pid))
            time.sleep(0.01)
            ended, status, used = os.wait4(process.pid, os.WNOHANG)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise AssertionError(f"{command[0]} ended with {process.returncode}")
        output.seek(0)
        return used.ru_utime + used.ru_stime, peak, output.read()


def _peak(pid: int) -> float:
    """MiB. What wait4 says is not less than what the process was that started it."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0
