"""Content, comments, files and what is still to be indexed: counted once an hour.

Source: https://api.drupal.org/api/drupal/core%21modules%21node%21src%21Entity%21Node.php/11
"""

from collections.abc import Iterable
from typing import Any

from collectors.drupal.site import Site
from collectors.model import Gauge, Sample

TEMPORARY_SECONDS = 21600
"""After which cron deletes temporary files, unless the site says otherwise."""
TYPES = {"type": 25}
NODES = Gauge("drupal_nodes", "Pieces of content, by type.", ("type", "state"), bounds=TYPES)
CHANGED = Gauge("drupal_node_latest_change_timestamp_seconds", "When a piece of content was last changed.")
MODERATED = Gauge(
    "drupal_moderated_items", "Pieces of content by their state in a workflow.", ("workflow", "state"),
    bounds={"workflow": 3, "state": 8},
)  # fmt: skip
COMMENTS = Gauge("drupal_comments", "Comments; unpublished ones wait for approval.", ("state",))
FILES = Gauge("drupal_files", "Managed files, permanent or temporary.", ("state",))
STALE = Gauge("drupal_files_stale", "Temporary files that cron should have deleted.")
UNINDEXED = Gauge("drupal_search_unindexed_nodes", "Pieces of content that the core search has still to index.")
FAMILIES = (NODES, CHANGED, MODERATED, COMMENTS, FILES, STALE, UNINDEXED)

STATES = {True: "published", False: "unpublished"}


def read(site: Site) -> dict[str, Any]:
    rows = site.tables.rows
    nodes = "{node} WHERE 1 = 1" if site.seven else "{node_field_data} WHERE default_langcode = 1"
    comments = "{comment}" if site.seven else "{comment_field_data} WHERE default_langcode = 1"
    made = "timestamp" if site.seven else "changed"
    return {
        "nodes": rows(f"SELECT type, status, COUNT(*) FROM {nodes} GROUP BY type, status ORDER BY 3 DESC LIMIT 500"),
        "changed": rows(f"SELECT MAX(changed) FROM {nodes}"),
        "moderated": [] if site.seven else rows(
            "SELECT workflow, moderation_state, COUNT(*) FROM {content_moderation_state_field_data}"
            " WHERE default_langcode = 1 GROUP BY workflow, moderation_state ORDER BY 3 DESC LIMIT 200"
        ),
        "comments": rows(f"SELECT status, COUNT(*) FROM {comments} GROUP BY status"),
        "files": rows("SELECT status, COUNT(*) FROM {file_managed} GROUP BY status"),
        "stale": rows(
            f"SELECT COUNT(*) FROM {{file_managed}} WHERE status = 0 AND {made} < %s",
            (int(site.now) - TEMPORARY_SECONDS - 86400,),
        ),
        "unindexed": _unindexed(site),
    }  # fmt: skip


def _unindexed(site: Site) -> list[list[Any]]:
    """Nothing where the site has no index at all: the search may be off, or another one is used."""
    kind = "node" if site.seven else "node_search"
    if not site.tables.rows("SELECT 1 FROM {search_dataset} WHERE type = %s LIMIT 1", (kind,)):
        return []
    return site.tables.rows(
        "SELECT COUNT(DISTINCT n.nid) FROM {node} n LEFT JOIN {search_dataset} s ON s.sid = n.nid AND s.type = %s"
        " WHERE s.sid IS NULL OR s.reindex <> 0",
        (kind,),
    )


def parse(payload: dict[str, Any]) -> Iterable[Sample]:
    for kind, status, count in payload["nodes"]:
        yield NODES(count, kind, STATES[bool(status)])
    for (changed,) in payload["changed"]:
        if changed:
            yield CHANGED(changed)
    for workflow, state, count in payload["moderated"]:
        yield MODERATED(count, workflow or "", state or "")
    comments = {bool(status): count for status, count in payload["comments"]}
    files = {bool(status): count for status, count in payload["files"]}
    for status, state in STATES.items():
        yield COMMENTS(comments.get(status, 0), state)
    for status, state in ((True, "permanent"), (False, "temporary")):
        yield FILES(files.get(status, 0), state)
    for family, name in ((STALE, "stale"), (UNINDEXED, "unindexed")):
        for (count,) in payload[name]:
            yield family(count)
