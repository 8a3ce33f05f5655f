"""What Raingauge costs: figures with their method, beside named peers. `python -m bench`."""
