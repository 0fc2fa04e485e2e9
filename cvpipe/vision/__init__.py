"""Pure maths on arrays: no files, no stages."""
