"""docs/operations/telemetry.md lists every metric, as the code has them."""

from checkout import ROOT

from hub.telemetry.describing import PAGE, tables, written


def test_the_page_lists_every_metric_as_the_code_has_it() -> None:
    page = (ROOT / PAGE).read_text(encoding="utf-8")
    assert written(page) == page, "write it anew: make golden"
    assert page.endswith(tables())
