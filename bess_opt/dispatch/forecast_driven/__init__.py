"""Operation on forecasts: windows planned from what is believed, carried out on what happens."""
