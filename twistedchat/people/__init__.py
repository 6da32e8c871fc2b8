"""Who is here: names in use, the tokens that take a lost session up, and how long a lost one stays."""
