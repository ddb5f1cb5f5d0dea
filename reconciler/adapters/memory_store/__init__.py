"""The state store in memory, for demos and tests. It keeps the promises of the SQL one; its contents end with the process."""

from reconciler.adapters.memory_store.store import MemoryStore

__all__ = ["MemoryStore"]
