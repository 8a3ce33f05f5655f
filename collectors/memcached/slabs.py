"""The families of a slab class, from `stats items` and `stats slabs`: memory is handed out by size of item.

Source: https://github.com/memcached/memcached/blob/master/doc/protocol.txt
"""

from collections.abc import Iterable, Mapping

from collectors.memcached.protocol import stats
from collectors.memcached.stats import number
from collectors.model import Counter, Gauge, Sample

SLAB = ("slab",)
MOST_SLABS = 64

FIELDS = {
    "number": Gauge("memcached_slab_current_items", "Items of the class stored now.", SLAB),
    "age": Gauge("memcached_slab_items_age_seconds", "Age of its oldest item.", SLAB),
    "mem_requested": Gauge("memcached_slab_mem_requested_bytes", "Bytes that its items need.", SLAB),
    "evicted": Counter("memcached_slab_items_evicted_total", "Items removed before their time for want of memory.", SLAB),
    "evicted_unfetched": Counter("memcached_slab_items_evicted_unfetched_total", "Of those, items that nobody ever asked for.", SLAB),
    "expired_unfetched": Counter("memcached_slab_items_expired_unfetched_total", "Items whose time was over before anybody asked for them.", SLAB),
    "outofmemory": Counter("memcached_slab_items_outofmemory_total", "Items refused for want of memory.", SLAB),
    "reclaimed": Counter("memcached_slab_items_reclaimed_total", "Items stored in the place of one whose time was over.", SLAB),
    "tailrepairs": Counter("memcached_slab_items_tailrepairs_total", "Times that a lost reference was mended.", SLAB),
    "chunk_size": Gauge("memcached_slab_chunk_size_bytes", "Room for one item.", SLAB),
    "total_pages": Gauge("memcached_slab_current_pages", "Pages of memory that the class has.", SLAB),
    "used_chunks": Gauge("memcached_slab_chunks_used", "Places that hold an item.", SLAB),
    "free_chunks": Gauge("memcached_slab_chunks_free", "Places free for an item.", SLAB),
}  # fmt: skip
MALLOCED = Gauge("memcached_malloced_bytes", "Memory taken for pages of all classes.")
FAMILIES = (*FIELDS.values(), MALLOCED)


def parse(payload: Mapping[str, str]) -> Iterable[Sample]:
    """Before the first item is stored there are no classes."""
    fields = {name.removeprefix("items:"): value for text in payload.values() for name, value in stats(text).items()}
    if (malloced := number(fields.get("total_malloced", ""))) is not None:
        yield MALLOCED(malloced)
    slabs: set[str] = set()
    for name, text in fields.items():
        slab, _, rest = name.partition(":")
        if not (slab.isdecimal() and slab.isascii()) or not (family := FIELDS.get(rest)):
            continue
        slabs.add(slab)
        if len(slabs) <= MOST_SLABS and (value := number(text)) is not None:
            yield family(value, slab)
