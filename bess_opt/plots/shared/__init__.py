"""What pictures share: pages and parts of them, the days shown, time axes, units and style."""
