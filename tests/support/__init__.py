"""What several tests share: scenarios, independent models, places."""
