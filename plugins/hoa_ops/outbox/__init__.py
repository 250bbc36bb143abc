"""Messages: written with the postings they tell of, delivered afterwards, never lost."""
