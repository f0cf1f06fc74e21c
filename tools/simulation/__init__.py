"""The shell around ``decide`` in memory: drivers, workers, clocks, people and their accidents."""
