"""What a user states or brings: scenario, battery, technologies, site, tariff, finance, solver options."""
