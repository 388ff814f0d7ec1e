"""What a student's server adds to the course's nbgrader_config.py: work that is handed in is closed to the others."""

c = get_config()  # type: ignore[name-defined]  # noqa: F821

c.ExchangeFactory.submit = "gradebox.exchange.ClosedSubmit"
