//! Starts the page. Built for wasm only; natively it does nothing, so that the workspace builds as a whole.

fn main() {
    #[cfg(target_arch = "wasm32")]
    godwit_frontend::start();
}
