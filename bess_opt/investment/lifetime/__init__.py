"""Over the life of the plant: cash flow and net present value (`cash_flow`), fade, replacement, ageing of cells."""
