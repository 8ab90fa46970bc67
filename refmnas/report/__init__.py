"""Self-contained HTML files: one style, SVG drawn here, no script, nothing fetched.

page       the style that every page shares, the frame of a page, tables
svg        marks, scales and ticks
charts     bars, roofline
memory     a plan's memory, step by step
pareto     accuracy against latency
bench      the page of a bench
compare    the page of a comparison
plan       the page of a plan
"""
