//! Ctrl-C and SIGTERM while a command waits: what it began is undone, then the process ends.

use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use tokio::signal::unix::{SignalKind, signal};

/// Whether a signal is ending the process.
static STOPPING: AtomicBool = AtomicBool::new(false);

type Undo = Box<dyn FnOnce() + Send>;

/// What to undo, latest first.
static UNDO: Mutex<Vec<Undo>> = Mutex::new(Vec::new());

/// From now on a signal undoes what was registered and ends the process.
pub(crate) fn watch() {
    let waiting = thread::Builder::new().name("signals".into()).spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        if let Ok(runtime) = runtime {
            let status = runtime.block_on(signalled());
            STOPPING.store(true, Ordering::SeqCst);
            undo();
            process::exit(status);
        }
    });
    // Without the thread a signal ends the process the hard way, as it would without us.
    drop(waiting);
}

/// Waits for the end if a signal is ending the process: what fails meanwhile fails because of it.
pub(crate) fn give_way() {
    while STOPPING.load(Ordering::SeqCst) {
        thread::park();
    }
}

/// Registers what to undo if the process is told to stop.
pub(crate) fn on_stop(undo: impl FnOnce() + Send + 'static) {
    list().push(Box::new(undo));
}

/// Nothing is to be undone any more.
pub(crate) fn clear() {
    list().clear();
}

fn undo() {
    let mut all = std::mem::take(&mut *list());
    while let Some(undo) = all.pop() {
        undo();
    }
}

fn list() -> std::sync::MutexGuard<'static, Vec<Undo>> {
    UNDO.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for either signal; the exit status that shells expect for it.
pub(crate) async fn signalled() -> i32 {
    let mut interrupt = signal(SignalKind::interrupt()).expect("the system delivers SIGINT");
    let mut terminate = signal(SignalKind::terminate()).expect("the system delivers SIGTERM");
    tokio::select! {
        _ = interrupt.recv() => 130,
        _ = terminate.recv() => 143,
    }
}
