"""Networks and how they are trained: torch modules and maths on tensors, no stages and no files of images."""
