"""What peers speak: from bytes to a session's verbs, and back."""
