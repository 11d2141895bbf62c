"""How the battery is operated: `Dispatch` and the verbs that make one."""
