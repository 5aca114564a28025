"""LeanCloud's behaviour; the only place where storage and the user's code meet."""
