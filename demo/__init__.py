"""A month of trading from the files in examples/, through HTTP only, with every figure that matters derived twice."""
