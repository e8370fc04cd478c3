//! The `bolthole` binary: everything it does is in the library's `cli`; here is only what a library must not choose.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    bolthole::cli::main()
}
