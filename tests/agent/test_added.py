"""Checks that people add are run, and ask nothing inside that the configuration does not list."""

from pathlib import Path

import pytest

from agent.added import refuse, watches
from agent.collecting import Collecting
from agent.configuration import Configuration
from agent.reading import trial
from collectors.probe.attempt import Failed
from collectors.probe.config import Probe
from history.database import open_database
from tests.agent.test_probing import site


@pytest.mark.parametrize(
    "ip",
    ["127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "::1", "fe80::1%eth0",
     "fd00::1", "::ffff:127.0.0.1"],
)  # fmt: skip
def test_what_is_inside_is_refused_unless_it_is_listed(ip: str) -> None:
    with pytest.raises(Failed, match=r"no public address; list it in exporter\.probe_targets"):
        refuse(lambda _host: False, "shop.example", ip)
    refuse(lambda host: host == "shop.example", "shop.example", ip)


@pytest.mark.parametrize("ip", ["9.9.9.9", "2620:fe::fe"])
def test_what_is_public_is_asked(ip: str) -> None:
    refuse(lambda _host: False, "shop.example", ip)


def success(url: str, *listed: str) -> tuple[float, str]:
    (watch,) = watches([Probe(url=url, module="front")], lambda host: host in listed)
    (reading,) = trial(watch.collector, watch.config)
    found = {sample.family.name: sample for sample in reading.samples}
    failed = found.get("web_check_failed")
    return found["probe_success"].value, failed.labels[0] if failed else ""


def test_a_name_a_number_and_a_redirect_are_all_looked_at() -> None:
    with site() as url:
        assert success(url) == (0, "connect")
        assert success(url.replace("127.0.0.1", "localhost")) == (0, "connect")
        assert success(url, "127.0.0.1") == (1, "")
        onward = b"HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n"
        inside = url.replace("127.0.0.1", "localhost").encode()
        with site(onward % inside) as first:
            assert success(first, "127.0.0.1") == (0, "connect"), "localhost is not listed"
            assert success(first, "127.0.0.1", "localhost") == (1, "")


def test_they_are_targets_from_the_next_look_on(tmp_path: Path) -> None:
    with site() as url:
        listen = {"listen": "127.0.0.1:0", "probe_targets": ["127.0.0.1"]}
        file_has = {"probe": [{"url": url, "module": "of the file"}]}
        configuration = Configuration.model_validate(
            {"discovery": False, "exporter": listen, "targets": file_has, "host": "web-01"}
        )
        added = [Probe(url=url, module="of the file"), Probe(url=url, module="front", interval=60)]
        collecting = Collecting(
            configuration, open_database(tmp_path), version="1", of_people=lambda: added[: len(seen)]
        )
        seen = [1]
        collecting.start()
        try:
            collecting.wait_for_first_tick(10)
            assert modules(collecting) == {"of the file": "configuration"}
            seen.append(2)
            collecting.look_again()
            for _ in range(200):
                if len(modules(collecting)) == 2:
                    break
                collecting._stopping.wait(0.05)
            assert modules(collecting) == {"of the file": "configuration", "front": "added on the page of checks"}
        finally:
            collecting.stop()


def modules(collecting: Collecting) -> dict[str, str]:
    found = (each for each in collecting.targets() if each.target.job == "blackbox")
    return {each.target.labels["module"]: each.found for each in found}
