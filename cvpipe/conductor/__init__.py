"""The conductor: it runs any pipeline on any data set, and never names a stage."""
