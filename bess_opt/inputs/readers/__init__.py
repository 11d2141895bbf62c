"""Files of markets, meters and tools become series and tariffs; one file per format."""
