"""What goes wrong in the engine."""


class EngineError(ValueError):
    """Input that the engine refuses; the message says what is wrong, where, and what would be right."""
