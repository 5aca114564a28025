"""The debug console: what happened, and a place to try things."""
