import pytest

from gateway.policy.attachments import ATTACHMENT_URL_INVALID, LOOKED_AT, attachment_url
from gateway.policy.email import EmailWrite
from tests.policy.writes import FILE

HERE: dict[str, object] = {"url": f"{FILE}abc/offer.pdf", "filename": "offer.pdf"}
ELSEWHERE: list[dict[str, object]] = [
    {},
    {"url": None},
    {"url": ""},
    {"url": 7},
    {"url": [FILE]},
    {"url": "https://example.com/offer.pdf"},
    {"url": "http://app.close.com/go/file/abc"},
    {"url": "https://app.close.com/go/files/abc"},
    {"url": "https://app.close.com.example.com/go/file/abc"},
    {"url": f" {FILE}abc"},
    {"url": FILE.upper()},
]


@pytest.mark.parametrize("attachment", ELSEWHERE)
def test_an_attachment_that_lies_elsewhere_is_found(attachment: dict[str, object]) -> None:
    """Alone or among others."""
    for attachments in ([attachment], [HERE, attachment], [None, attachment, HERE]):
        assert attachment_url(EmailWrite(attachments=attachments)) == ATTACHMENT_URL_INVALID


@pytest.mark.parametrize(
    "attachments", [None, [], [HERE], [HERE, HERE], [{"url": FILE}], {}, "https://x/", 7, [None, "https://x/", 7, []]]
)
def test_where_nothing_lies_elsewhere_nothing_is_found(attachments: object) -> None:
    """And what is no attachment is Close's to answer."""
    assert attachment_url(EmailWrite(attachments=attachments)) is None


def test_a_long_list_is_not_looked_through() -> None:
    """As long as a body may be, it costs no more than the first hundred."""
    good: list[object] = [HERE] * (LOOKED_AT - 1)
    assert attachment_url(EmailWrite(attachments=[*good, *ELSEWHERE[:1]])) == ATTACHMENT_URL_INVALID
    assert attachment_url(EmailWrite(attachments=[*good, HERE, *ELSEWHERE])) is None
