"""The rules of the house: pure functions over frozen values, with the clock as an argument and no input or output."""
