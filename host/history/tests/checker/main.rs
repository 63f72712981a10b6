//! The checker catches what is planted, and passes what is right.

mod bank;
mod broken;
mod clean;
mod cycles;
mod mutated;
mod notation;
mod orders;
mod reads;
mod recorded;
mod registers;
mod simulator;
mod timestamps;
