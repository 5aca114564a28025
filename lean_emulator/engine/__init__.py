"""The user's cloud code: a child process, its protocol, and what happens when a file changes."""
