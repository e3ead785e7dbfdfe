//! Notifications of the browser: asked for by the user alone, on the settings page, and kept in this browser.

use crate::live::use_live;
use crate::storage;
use chrono::Utc;
use godwit_shared::notice::{LAG_LIMIT_MS, Notice, Watcher};
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::{Deserialize, Serialize};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Notification, NotificationOptions, NotificationPermission};

const KEY: &str = "godwit.notifications";

/// What the user wants to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Wish {
    pub is_on: bool,
    pub lag_limit_ms: u64,
}

impl Default for Wish {
    fn default() -> Self {
        Self {
            is_on: false,
            lag_limit_ms: LAG_LIMIT_MS,
        }
    }
}

/// What the browser says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// It was never asked.
    Open,
    Granted,
    /// Only the user can change that, in the browser's own settings.
    Denied,
    /// The browser knows no notifications, or not for this address.
    Missing,
}

/// The wish and the permission, for those who show and change them.
#[derive(Clone, Copy)]
pub struct Notifications {
    pub wish: RwSignal<Wish>,
    pub permission: RwSignal<Permission>,
}

pub fn use_notifications() -> Notifications {
    expect_context()
}

impl Notifications {
    /// Asks the browser, which asks the user. Only where he has pressed a button.
    pub fn turn_on(self) {
        let Ok(asked) = Notification::request_permission() else {
            return self.permission.set(Permission::Missing);
        };
        spawn_local(async move {
            let _ = JsFuture::from(asked).await;
            self.permission.set(permission());
            self.set(true);
        });
    }

    pub fn turn_off(self) {
        self.set(false);
    }

    fn set(self, is_on: bool) {
        self.wish.update(|wish| wish.is_on = is_on);
        storage::keep(KEY, &self.wish.get_untracked());
    }

    /// With more lag than this the user is told.
    pub fn set_lag_limit(self, lag_limit_ms: u64) {
        self.wish.update(|wish| wish.lag_limit_ms = lag_limit_ms);
        storage::keep(KEY, &self.wish.get_untracked());
    }
}

fn permission() -> Permission {
    let is_there = js_sys::Reflect::has(&window(), &"Notification".into()).unwrap_or(false);
    match is_there.then(Notification::permission) {
        Some(NotificationPermission::Granted) => Permission::Granted,
        Some(NotificationPermission::Denied) => Permission::Denied,
        Some(NotificationPermission::Default) => Permission::Open,
        Some(_) | None => Permission::Missing,
    }
}

/// Watches the jobs for as long as the page lives. Once, in the shell, after the live state.
pub fn provide_notifications() {
    let own = Notifications {
        wish: RwSignal::new(storage::kept(KEY).unwrap_or_default()),
        permission: RwSignal::new(permission()),
    };
    provide_context(own);
    let live = use_live();
    let limit = Memo::new(move |_| own.wish.get().lag_limit_ms);
    let watcher = StoredValue::new(Watcher::new(limit.get_untracked()));
    Effect::new(move |_| watcher.set_value(Watcher::new(limit.get())));
    let is_on = Memo::new(move |_| own.wish.get().is_on && own.permission.get() == Permission::Granted);
    Effect::new(move |_| {
        if !is_on.get() {
            // What ends meanwhile is not told later.
            return watcher.set_value(Watcher::new(limit.get_untracked()));
        }
        if !live.is_loaded() {
            return;
        }
        let now = Utc::now();
        let notices = live.with_jobs(|jobs| watcher.try_update_value(|watcher| watcher.look_at_all(jobs, now)));
        notices.iter().flatten().for_each(show);
    });
}

/// What the browser refuses is not shown: the page itself says the same.
fn show(notice: &Notice) {
    let options = NotificationOptions::new();
    options.set_body(&notice.text);
    // The same message of several tabs is one.
    options.set_tag(&notice.id);
    let _ = Notification::new_with_options("Godwit", &options);
}
