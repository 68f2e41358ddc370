"""The settings in force, printed."""

from pathlib import Path

from gateway.config.load import load
from gateway.config.show import show

KEY = "a-very-secret-canary-key"


def test_what_is_shown_can_be_loaded_again(tmp_path: Path) -> None:
    """Apart from secrets, which are stars; and it tells where each setting was given."""
    environ = {
        "CLOSE_GATEWAY_IDENTITY__FINGERPRINT_KEY": KEY,
        "CLOSE_GATEWAY_ADMIN__LISTEN": "off",
        "CLOSE_GATEWAY_ADMIN__HOSTS": "x.example",
    }
    loaded = load(None, environ, {"inspect.mode": "report"})
    text = show(loaded)
    assert KEY not in text
    assert 'fingerprint_key = "***"  # from CLOSE_GATEWAY_IDENTITY__FINGERPRINT_KEY\n' in text
    assert 'mode = "report"  # from --mode\n' in text
    again = tmp_path / "gateway.toml"
    again.write_text(text.replace('"***"', f'"{KEY}"'), "utf-8")
    assert load(again, {}, {}).settings == loaded.settings
