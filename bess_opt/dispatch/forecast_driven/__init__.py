"""Rolling windows (`rolling`) on forecasts: each plans hours on what is believed, and carries out the first."""
