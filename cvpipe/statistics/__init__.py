"""Is a difference real? Tests, intervals and effect sizes on arrays of scores and of right answers."""
