"""Where objects live: one contract, several keepers."""
