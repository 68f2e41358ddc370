"""What only Close knows: the gateway's own few questions to it.

They go out on the caller's credentials and count against the caller's rate limit, so each is asked only where a
verdict or a sender depends on it.
"""
