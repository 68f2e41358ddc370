"""The way to Close: connections that are kept open, and the heads that go over them."""
