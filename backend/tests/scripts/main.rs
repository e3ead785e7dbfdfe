//! Expressions in real worker processes: what they come to, what they cannot do, and what becomes of the others.

mod bed;
mod hostile;
mod results;
mod worlds;
