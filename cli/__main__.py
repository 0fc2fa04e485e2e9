"""`python -m cvpipe_cli`: the same as `cvpipe`."""

from cvpipe_cli.main import main

main()
