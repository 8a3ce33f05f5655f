from history.store.store import Store

__all__ = ["Store"]
