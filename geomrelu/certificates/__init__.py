"""Certificates on disk, and many boxes of them judged at once in fixed-point arithmetic rounded outward."""
