"""How the battery is operated: `Dispatch` and the verbs that make one, rolling windows on forecasts too."""
