"""Reporting: counts what the others tell, and shows the figures with the records behind them."""
