"""What stands in the bytes: Close's JSON, the codings around it, and the errors as Close writes them."""
