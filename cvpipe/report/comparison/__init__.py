"""A comparison as one self-contained HTML file that sorts and filters."""
