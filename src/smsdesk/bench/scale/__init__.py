"""What more processes and more cores give: measured where they are few, and by a model where they are many."""
