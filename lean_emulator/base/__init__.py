"""Things that know nothing of LeanCloud's data: time, ids, errors, signatures, the trace."""
