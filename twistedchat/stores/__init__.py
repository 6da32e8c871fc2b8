"""Where the logs are kept."""
