"""Races: many clients want the same thing at the same instant, and exactly what must come out comes out."""
