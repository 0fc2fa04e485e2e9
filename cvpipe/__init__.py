"""cvpipe: which image features work best on your images, at what cost, and is the difference real?"""
__version__ = "0.1.0"
