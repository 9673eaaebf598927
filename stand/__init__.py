"""The test stand: the whole house or some of its parts, brought up by hand, killed at will, and asked at full speed."""
