"""Faults to plant, and the networks they are planted in (verify_faults.py runs them)."""
