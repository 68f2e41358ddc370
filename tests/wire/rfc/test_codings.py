"""Transfer-Encoding: chunked, once, and alone; or no request."""

import pytest

from tests.wire.rfc.rows import (
    BEHIND,
    CHUNKED,
    END,
    GET,
    HOST,
    INVALID,
    MALFORMED,
    POST,
    UNKNOWN_CODING,
    assert_goes_up,
    assert_refused,
)

BODY = b"4\r\nbody\r\n0\r\n\r\n"

VALUES_REFUSED = {  # RFC 9112, 6.3, 4: without a final chunked the body has no end: 400. 6.1: unknown before it: 501
    "6.3 gzip": (b" gzip", MALFORMED),
    "6.3 deflate": (b" deflate", MALFORMED),
    "6.3 identity": (b" identity", MALFORMED),  # of RFC 2616, and gone since RFC 7230
    "6.3 trailers": (b" trailers", MALFORMED),
    "6.3 null": (b" null", MALFORMED),
    "6.3 zero": (b" 0", MALFORMED),
    "6.3 empty": (b"", MALFORMED),
    "6.3 blank": (b" ", MALFORMED),
    "6.3 chunked, gzip": (b" chunked, gzip", MALFORMED),
    "6.3 chunked, identity": (b" chunked, identity", MALFORMED),
    "6.1 chunked, chunked": (b" chunked, chunked", MALFORMED),
    "6.1 chunked,chunked": (b" chunked,chunked", MALFORMED),
    "6.1 gzip, chunked": (b" gzip, chunked", UNKNOWN_CODING),
    "6.1 gzip,chunked": (b" gzip,chunked", UNKNOWN_CODING),
    "6.1 identity, chunked": (b" identity, chunked", UNKNOWN_CODING),
    "6.1 xchunked, chunked": (b" xchunked, chunked", UNKNOWN_CODING),
    "9110-5.6.1 leading comma": (b" ,chunked", UNKNOWN_CODING),
    "9110-5.6.1 trailing comma": (b" chunked,", MALFORMED),
    "9110-5.6.1 trailing comma and blank": (b" chunked, ", MALFORMED),
    "6.1 letter before": (b" xchunked", MALFORMED),
    "6.1 letter behind": (b" chunkedx", MALFORMED),
    "6.1 word before": (b" x chunked", MALFORMED),
    "6.1 word behind": (b" chunked x", MALFORMED),
    "6.1 quoted": (b' "chunked"', MALFORMED),
    "6.1 in apostrophes": (b" 'chunked'", MALFORMED),
    "7 parameter": (b" chunked;q=1", MALFORMED),
    "7 empty parameter": (b" chunked;", MALFORMED),
    "9110-5.5 tab behind": (b" chunked\t", MALFORMED),  # allowed, and refused all the same
    "9110-5.5 vertical tab before": (b" \x0bchunked", MALFORMED),
    "9110-5.5 vertical tab behind": (b" chunked\x0b", MALFORMED),
    "9110-5.5 form feed behind": (b" chunked\x0c", MALFORMED),
    "9110-5.5 unit separator": (b" \x1fchunked", MALFORMED),
    "9110-5.5 NUL before": (b" \0chunked", MALFORMED),
    "9110-5.5 NUL behind": (b" chunked\0", MALFORMED),
    "6.1 no-break space": (b" chunked\xa0", MALFORMED),
    "6.1 next line, UTF-8": (b" \xc2\x85chunked", MALFORMED),
    "6.1 zero-width space": (b" \xe2\x80\x8bchunked", MALFORMED),
    "6.1 Kelvin sign": (b" chun\xe2\x84\xaaed", MALFORMED),  # its small letter is a k
    "6.1 fullwidth c": (b" \xef\xbd\x83hunked", MALFORMED),
    "2.2 bare CR in it": (b" chun\rked", MALFORMED),
    "2.2 bare CR behind": (b" chunked\r", MALFORMED),
    "2.2 bare LF behind": (b" chunked\n", MALFORMED),
    "5.2 folded": (b"\r\n chunked", MALFORMED),
    "5.2 folded in it": (b" chun\r\n ked", MALFORMED),
}


@pytest.mark.parametrize(("value", "expected"), VALUES_REFUSED.values(), ids=VALUES_REFUSED)
@pytest.mark.parametrize("path", [b"/x", b"/api/v1/activity/email/"], ids=["forwarded", "intercepted"])
async def test_any_coding_but_chunked_is_refused(path: bytes, value: bytes, expected: tuple[int, str]) -> None:
    """TE.TE: what one reader takes for chunked and another does not is taken by nobody, on neither way."""
    head = b"POST %b HTTP/1.1\r\n" % path
    await assert_refused(head + HOST + b"Transfer-Encoding:" + value + b"\r\n\r\n" + BODY, expected)


FIELDS_REFUSED = {  # with what the sender hopes that one of two readers takes for the body
    "6.3 CL.TE": (b"Content-Length: 6\r\n" + CHUNKED, b"0\r\n\r\nG"),
    "6.3 TE.CL": (CHUNKED + b"Content-Length: 4\r\n", b"22\r\n" + BEHIND + b"\r\n0\r\n\r\n"),
    "6.3 CL.TE, no length": (b"Content-Length: 0\r\n" + CHUNKED, BODY),
    "6.3 TE.CL, no length": (CHUNKED + b"Content-Length: 0\r\n", BODY),
    "6.3 CL.TE far apart": (b"Content-Length: 4\r\nX: 1\r\nY: 2\r\n" + CHUNKED, BODY),
    "6.3 CL.TE, other coding": (b"Content-Length: 4\r\nTransfer-Encoding: xchunked\r\n", b"body"),
    "6.3 CL.TE, identity": (b"Content-Length: 4\r\nTransfer-Encoding: identity\r\n", b"body"),
    "6.3 CL.TE, empty": (b"Content-Length: 4\r\nTransfer-Encoding:\r\n", b"body"),
    "6.1 twice": (CHUNKED + CHUNKED, BODY),
    "6.1 twice in two cases": (CHUNKED + CHUNKED.lower(), BODY),
    "6.1 gzip, then chunked": (b"Transfer-Encoding: gzip\r\n" + CHUNKED, BODY),
    "6.1 identity, then chunked": (b"Transfer-Encoding: identity\r\n" + CHUNKED, BODY),
    "6.1 empty, then chunked": (b"Transfer-Encoding:\r\n" + CHUNKED, BODY),
    "6.3 chunked, then identity": (CHUNKED + b"Transfer-Encoding: identity\r\n", BODY),
    "6.3 chunked, then empty": (CHUNKED + b"Transfer-Encoding:\r\n", BODY),
    "6.3 chunked, then anything": (CHUNKED + b"Transfer-encoding: x\r\n", BODY),
    "5.1 blank before the colon": (b"Transfer-Encoding : chunked\r\n", BODY),
    "5.1 blank before the colon, CL": (b"Content-Length: 4\r\nTransfer-Encoding : chunked\r\n", b"body"),
    "5.1 tab before the colon": (b"Transfer-Encoding\t: chunked\r\n", BODY),
    "9110-5.1 vertical tab before the colon": (b"Transfer-Encoding\x0b: chunked\r\n", BODY),
    "9110-5.1 NUL in the name": (b"Transfer\0-Encoding: chunked\r\n", BODY),
    "5.2 as a continuation": (b"X: 1\r\n Transfer-Encoding: chunked\r\n", BODY),
    "2.2 behind a bare LF": (b"X: 1\nTransfer-Encoding: chunked\r\n", BODY),
    "2.2 behind a bare CR": (b"X: 1\rTransfer-Encoding: chunked\r\n", BODY),
    "2.2 behind LF CR": (b"X: 1\n\rTransfer-Encoding: chunked\r\n", BODY),
    "2.2 behind a bare CR, CL": (b"Content-Length: 4\r\nX: 1\rTransfer-Encoding: chunked\r\n", b"body"),
}


@pytest.mark.parametrize(("fields", "body"), FIELDS_REFUSED.values(), ids=FIELDS_REFUSED)
async def test_two_framings_are_refused(fields: bytes, body: bytes) -> None:
    """RFC 9112, 6.3, 3: a server may repair it or refuse it. What is hidden behind it goes up in no reading."""
    await assert_refused(POST + HOST + fields + END + body + BEHIND, MALFORMED)


EMPTY = {
    "6.1 alone": (b"Transfer-Encoding:\r\n", b""),
    "6.1 blank": (b"Transfer-Encoding: \t\r\n", b""),
    "6.3 TE.CL": (b"Transfer-Encoding:\r\nContent-Length: 4\r\n", b"body"),
    "6.3 TE.CL, a request for a body": (b"Transfer-Encoding:\r\nContent-Length: %d\r\n" % len(BEHIND), BEHIND),
}


@pytest.mark.parametrize(("fields", "body"), EMPTY.values(), ids=EMPTY)
@pytest.mark.parametrize("path", [b"/x", b"/api/v1/activity/email/"], ids=["forwarded", "intercepted"])
async def test_an_empty_coding_is_refused(path: bytes, fields: bytes, body: bytes) -> None:
    """RFC 9112, 6.3, 4: one reader takes it for none; another may take it for a coding, and the length for void."""
    await assert_refused(b"POST %b HTTP/1.1\r\n" % path + HOST + fields + END + body + BEHIND, MALFORMED)


OLD = {
    "6.1 HTTP/1.0": (b"", INVALID),
    "6.1 HTTP/1.0, keep-alive": (b"Connection: keep-alive\r\n", INVALID),
    "6.1 HTTP/1.0, CL": (b"Content-Length: 4\r\n", MALFORMED),
}


@pytest.mark.parametrize(("fields", "expected"), OLD.values(), ids=OLD)
@pytest.mark.parametrize("path", [b"/x", b"/api/v1/activity/email/"], ids=["forwarded", "intercepted"])
async def test_a_coding_in_http_1_0_is_refused(path: bytes, fields: bytes, expected: tuple[int, str]) -> None:
    """RFC 9112, 6.1: its framing counts as faulty, since HTTP/1.0 knows no chunks: one hop reads them, one does not."""
    await assert_refused(b"POST %b HTTP/1.0\r\n" % path + HOST + fields + CHUNKED + END + BODY, expected)


VALUES_TAKEN = {
    "6.1 plain": b" chunked",
    "9110-5.5 no blank": b"chunked",
    "9110-5.5 blank behind": b" chunked ",
    "9110-5.5 tab before": b"\tchunked",
    "7 capital letters": b" CHUNKED",  # coding names are case-insensitive
    "7 mixed letters": b" cHuNkEd",
}


@pytest.mark.parametrize("value", VALUES_TAKEN.values(), ids=VALUES_TAKEN)
@pytest.mark.parametrize("start", [POST, GET])
async def test_chunked_goes_up_in_one_spelling(start: bytes, value: bytes) -> None:
    """RFC 9112, 7: whatever was accepted leaves no room for another reading."""
    request = start + HOST + b"Transfer-ENCODING:" + value + b"\r\n\r\n" + BODY
    await assert_goes_up(request, start + CHUNKED + END, b"body")


@pytest.mark.parametrize("name", [b"Transfer_Encoding", b"Transfer-Encoding-", b"X-Transfer-Encoding"])
async def test_a_name_that_only_looks_like_it_is_no_framing(name: bytes) -> None:
    """RFC 9110, 5.1: the length counts, beside an end-to-end field that means nothing here."""
    fields = name + b": chunked\r\nContent-Length: 4\r\n\r\n"
    await assert_goes_up(POST + HOST + fields + b"body", POST + fields, b"body")
