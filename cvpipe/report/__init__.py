"""What a run found, as a folder of files and one HTML page."""
