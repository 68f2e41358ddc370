"""A small Close for demos, local development and tests. It shares no code with the gateway it is held against.

What it does, what it leaves out and whom it knows: README.md beside this file.
"""

from gateway.sandbox.limits import DEFAULT_RATE, Rate
from gateway.sandbox.refusal import Refusal
from gateway.sandbox.seed import seeded_world
from gateway.sandbox.seedfile import SeedProblems, read_seed
from gateway.sandbox.server import Sandbox
from gateway.sandbox.users import User
from gateway.sandbox.world import World

__all__ = ["DEFAULT_RATE", "Rate", "Refusal", "Sandbox", "SeedProblems", "User", "World", "read_seed", "seeded_world"]
