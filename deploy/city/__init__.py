"""City profiles: what is true of one city or province and nowhere else. One folder each."""
