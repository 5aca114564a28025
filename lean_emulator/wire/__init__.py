"""The REST protocol on :3000: thin handlers between sockets and services."""
