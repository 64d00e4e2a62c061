//! What takes real time, or a server that fails.

mod accidents;
mod errors;
mod grid;
mod layer;
mod network;
