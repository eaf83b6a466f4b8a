"""The gateway: the Flask application over the nouns' routes, with its guards, problems, pages and descriptions."""
