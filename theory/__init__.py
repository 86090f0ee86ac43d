"""Laws of learning, symbolic and exact: one module for each topic, each the section of a paper."""
