"""lean-emu: a LeanCloud that fits in one process on a laptop."""

__version__ = "0.1.0"
