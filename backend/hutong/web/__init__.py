"""What every noun's routes need of HTTP: operations, bodies, answers, problems, callers, signatures."""
