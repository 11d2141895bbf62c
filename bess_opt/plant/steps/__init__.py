"""What the step simulator is made of: one battery's step, several batteries sharing, and the site around them."""
