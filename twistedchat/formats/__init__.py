"""Events as bytes: one module for each way of writing them."""
