from gateway.policy.email import EmailWrite, Status, StoredEmail


def test_the_statuses_are_those_of_the_published_description() -> None:
    """Six, by these names; the rules are written for them."""
    assert [status.value for status in Status] == ["inbox", "draft", "scheduled", "outbox", "sent", "error"]


def test_a_write_says_nothing_unless_told() -> None:
    """Absent and null are the same to every rule."""
    assert EmailWrite() == EmailWrite(status=None, sender=None, user_id=None)
    assert StoredEmail(None) == StoredEmail(sender=None)
