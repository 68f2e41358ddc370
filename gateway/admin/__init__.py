"""The listener for those who run the gateway: never for its clients."""
