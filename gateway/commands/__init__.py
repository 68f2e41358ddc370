"""What the commands do that need more than a line: gateway.cli names them."""
