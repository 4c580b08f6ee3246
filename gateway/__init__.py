"""The one guarded door to the platform: FastAPI on asyncio, never monkey-patched."""
