"""Networks side by side: what they cost, how fast they run here, how right they are.

table      one record of all: counts, memory, latency, published and measured accuracy
labels     a folder of images with the index of each one's class
accuracy   how often a network is right on them
"""
