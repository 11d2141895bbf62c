"""Models of the same site written from the meaning of the keys alone; none imports the package."""
