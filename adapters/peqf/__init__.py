"""Police Educational Qualifications Framework: files exchanged with the learning partner, and what is known of learners."""
