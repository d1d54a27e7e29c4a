"""The swarm: what its users ask, how many there are over time, and whether what came back is good enough."""
