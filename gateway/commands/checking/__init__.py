"""What close-gateway check is made of: payloads out of files, their verdicts, and how these are told."""
