//! Panics of a case: caught with what they say and where, instead of being printed.

use std::{cell::RefCell, panic, sync::Once};

/// A panic that was caught.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Panic {
    /// File and line.
    pub location: String,
    /// What it says.
    pub message: String,
}

thread_local! {
    static LAST: RefCell<Option<Panic>> = const { RefCell::new(None) };
    static LISTENS: RefCell<bool> = const { RefCell::new(false) };
}

/// From now on panics of this thread are kept and not printed.
pub(super) fn listen() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let others = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !LISTENS.with_borrow(|listens| *listens) {
                return others(info);
            }
            let location =
                info.location().map_or_else(String::new, |at| format!("{}:{}", at.file(), at.line()));
            let message = words_of(info.payload());
            LAST.set(Some(Panic { location, message }));
        }));
    });
    LISTENS.set(true);
}

/// The panic that was caught last; panics of this thread are printed again.
pub(super) fn last() -> Panic {
    LISTENS.set(false);
    LAST.take()
        .unwrap_or_else(|| Panic { location: String::new(), message: "a panic that nobody heard".into() })
}

/// What a panic said.
fn words_of(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without words").to_owned()
}
