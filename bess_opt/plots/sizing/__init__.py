"""Pictures of sizes: the value along one size, over two, and how the best one answers to changed assumptions."""
