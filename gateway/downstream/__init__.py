"""The client's side: its connections, what a request of theirs has to be, and what one client may cost."""
