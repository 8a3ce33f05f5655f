"""What a sentinel says in INFO of the primaries that it looks after.

Source: https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/
"""

from collections.abc import Iterable, Mapping

from collectors.model import Gauge, Sample
from collectors.redis.values import number, texts

PRIMARY = ("master_name", "master_address")
KNOWN = {
    "slaves": Gauge("redis_sentinel_master_slaves", "Replicas that the sentinel knows of a primary.", PRIMARY),
    "sentinels": Gauge("redis_sentinel_master_sentinels", "Sentinels that look after a primary.", PRIMARY),
}
STATUS = Gauge(
    "redis_sentinel_master_status", "1; how the sentinel sees the primary is a label.", (*PRIMARY, "master_status")
)
FAMILIES = (*KNOWN.values(), STATUS)


def parse(fields: Mapping[str, str]) -> Iterable[Sample]:
    for name, line in fields.items():
        if name.startswith("master") and name[6:].isdecimal():
            facts = texts(line)
            labels = (facts.get("name", ""), facts.get("address", ""))
            for fact, family in KNOWN.items():
                if (value := number(facts.get(fact, ""))) is not None:
                    yield family(value, *labels)
            yield STATUS(1, *labels, facts.get("status", ""))
