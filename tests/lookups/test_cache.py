from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gateway.lookups.cache import Identity, IdentityCache, Key

JANE, JOHN = Identity("jane@example.com"), Identity("john@example.com")


def test_what_was_put_in_is_there_for_a_while() -> None:
    """Until its time to live is over, counted from when it was put in."""
    cache = IdentityCache(ttl=10.0, max_entries=5, pause=2.0)
    cache.put((b"a", None), JANE, now=1.0)
    assert [cache.get((b"a", None), now) for now in (1.0, 10.9, 11.0, 1.0)] == [JANE, JANE, None, None]
    assert len(cache) == 0


def test_being_asked_for_does_not_make_it_younger() -> None:
    """An address that has changed is noticed in the end, however often it is used."""
    cache = IdentityCache(ttl=10.0, max_entries=5, pause=2.0)
    cache.put((b"a", None), JANE, now=0.0)
    assert [cache.get((b"a", None), float(now)) for now in range(11)] == [JANE] * 10 + [None]


def test_being_put_in_again_does() -> None:
    """The new answer replaces the old one."""
    cache = IdentityCache(ttl=10.0, max_entries=5, pause=2.0)
    cache.put((b"a", None), JANE, now=0.0)
    cache.put((b"a", None), JOHN, now=9.0)
    assert (cache.get((b"a", None), 18.9), len(cache)) == (JOHN, 1)


def test_the_least_recently_used_goes_first() -> None:
    """To be asked for is to be used."""
    cache = IdentityCache(ttl=10.0, max_entries=2, pause=2.0)
    cache.put((b"a", None), JANE, now=0.0)
    cache.put((b"b", None), JANE, now=0.0)
    cache.get((b"a", None), now=0.0)
    cache.put((b"c", None), JOHN, now=0.0)
    assert [cache.get((digest, None), 0.0) for digest in (b"a", b"b", b"c")] == [JANE, None, JOHN]


def test_what_one_credential_was_told_is_never_anothers() -> None:
    """The same user under two credentials is two entries; so are the owner and a user."""
    cache = IdentityCache(ttl=10.0, max_entries=5, pause=2.0)
    cache.put((b"a", "user_1"), JANE, now=0.0)
    assert [cache.get(key, 0.0) for key in ((b"b", "user_1"), (b"a", None), (b"a", "user_2"))] == [None, None, None]


def test_a_credential_can_be_forgotten() -> None:
    """With all that it was told, and nothing of the others'."""
    cache = IdentityCache(ttl=10.0, max_entries=5, pause=2.0)
    for key in ((b"a", None), (b"a", "user_1"), (b"b", None)):
        cache.put(key, JANE, now=0.0)
    cache.forget(b"a")
    cache.forget(b"never seen")
    assert (cache.get((b"a", None), 0.0), cache.get((b"a", "user_1"), 0.0)) == (None, None)
    assert (cache.get((b"b", None), 0.0), len(cache)) == (JANE, 1)


KEYS = st.tuples(st.sampled_from([b"a", b"b", b"c"]), st.sampled_from([None, "user_1", "user_2"]))


class AgainstAModel(RuleBasedStateMachine):
    """Whatever is done in whatever order, the cache holds what a plain list, the last used at its end, would hold."""

    def __init__(self) -> None:
        super().__init__()
        self.cache = IdentityCache(ttl=10.0, max_entries=4, pause=2.0)
        self.model: list[tuple[Key, float, Identity]] = []
        self.now = 0.0

    @rule(seconds=st.floats(0, 6))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(key=KEYS, identity=st.sampled_from([JANE, JOHN]))
    def put(self, key: Key, identity: Identity) -> None:
        self.cache.put(key, identity, self.now)
        others = [entry for entry in self.model if entry[0] != key]
        self.model = [*others, (key, self.now + 10.0, identity)][-4:]

    @rule(key=KEYS)
    def get(self, key: Key) -> None:
        found = [entry for entry in self.model if entry[0] == key]
        alive = [entry for entry in found if self.now < entry[1]]
        self.model = [entry for entry in self.model if entry[0] != key] + alive
        assert self.cache.get(key, self.now) == (alive[0][2] if alive else None)

    @rule(credential=st.sampled_from([b"a", b"b", b"d"]))
    def forget(self, credential: bytes) -> None:
        self.cache.forget(credential)
        self.model = [entry for entry in self.model if entry[0][0] != credential]

    @invariant()
    def holds_the_same(self) -> None:
        assert list(self.cache._entries) == [entry[0] for entry in self.model]
        named = {key for keys in self.cache._by_credential.values() for key in keys}
        assert named == set(self.cache._entries)
        assert all(self.cache._by_credential.values())


TestAgainstAModel = AgainstAModel.TestCase
TestAgainstAModel.settings = settings(derandomize=True, max_examples=60, stateful_step_count=40)
