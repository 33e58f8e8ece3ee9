"""The version of the engine's numbers."""

ENGINE_VERSION = "1"
"""Part of every result's digest: raise it with any change that can change a number."""
