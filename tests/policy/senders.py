"""Senders of every state, for the tables of the policy's tests."""

from typing import Final

from hypothesis import strategies as st

from gateway.policy.sender import SenderState

ADDRESS: Final = "jane@example.com"

SENDERS: Final[dict[SenderState, list[object]]] = {
    SenderState.MISSING: [None, "", " ", " \t\r\n", "\u00a0\u2003"],
    SenderState.NOT_A_STRING: [0, 1, 1.5, float("nan"), True, False, [], [ADDRESS], {}, {"email": ADDRESS}],
    SenderState.NO_ADDRESS: [
        "Jane Roe",
        "jane",
        "example.com",
        "@",
        "jane@",
        "jane@ ",
        "@example.com",
        " @example.com",
        "jane@@example.com",
        "jane@.",
        "<>",
        "Jane Roe <>",
        "Jane Roe <jane>",
        "Jane Roe <@example.com>",
        "Jane Roe <jane@>",
        '"Jane Roe" <jane@>',
        "jane at example.com",
        "jane\uff20example.com",
    ],
    SenderState.USABLE: [
        ADDRESS,
        f" \t{ADDRESS}\r\n",
        f"\u00a0{ADDRESS}\u2003",
        "JANE@EXAMPLE.COM",
        "jane+close@example.com",
        "o'hara.jane_roe-1@mail.example.co.uk",
        "jane@localhost",
        "jane;@example.com",
        "a:@b.com",
        "jane@[192.0.2.1]",
        "jane @ example.com",
        f"<{ADDRESS}>",
        f"Jane Roe <{ADDRESS}>",
        f"Jane Roe<{ADDRESS}>",
        f"Roe, Jane <{ADDRESS}>",
        f'"Jane Roe" <{ADDRESS}>',
        f'"Roe, Jane" <{ADDRESS}>',
        f'"Jane @ work" <{ADDRESS}>',
        f'"Jane \\"JR\\" Roe" <{ADDRESS}>',
        f"{ADDRESS} (Jane Roe)",
        f"Jane Roe < {ADDRESS} >",
        '"jane roe"@example.com',
        f'"Jane" <"jane roe"@example.com>, {ADDRESS}',
        f"Team: {ADDRESS}, john@example.com;",
        f"Ünsal Çelik <{ADDRESS}>",
        "用户@例子.广告",
        "Δοκιμή <δοκιμή@παράδειγμα.ελ>",
        "jane@bücher.example",
        f"=?utf-8?q?J=C3=A4ne?= <{ADDRESS}>",
        f"Jane\ud800 <{ADDRESS}>",
    ],
}

JSON_VALUES: Final[st.SearchStrategy[object]] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
