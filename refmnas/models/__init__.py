"""Networks as data, and the one builder that makes them run."""
