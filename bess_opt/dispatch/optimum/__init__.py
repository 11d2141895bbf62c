"""The optimal plan solved and explained."""
