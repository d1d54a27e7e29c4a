"""Drives load tests on a cluster from outside: replicas, workers and users in every combination, and what the autoscaler does."""
