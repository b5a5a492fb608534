"""CRMs over real HTTP: what is asked, what is made of the answers, and that nothing is written twice."""
