//! *Test connection* and what came of it.

use crate::api::ApiError;
use crate::components::button::Button;
use crate::components::error_panel::ErrorPanel;
use crate::components::icon::{Glyph, Icon};
use godwit_shared::connection::ConnectivityResult;
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::future::Future;

#[derive(Debug, Clone, PartialEq)]
enum TestState {
    Untested,
    Running,
    Passed(ConnectivityResult),
    Failed(ApiError),
}

/// One test at a time; an answer that comes after the fields have changed is not shown.
#[derive(Clone, Copy)]
pub struct ConnectionTest {
    state: RwSignal<TestState>,
}

impl ConnectionTest {
    pub fn untested() -> Self {
        Self {
            state: RwSignal::new(TestState::Untested),
        }
    }

    /// The fields have changed: what was found does not hold for them.
    pub fn forget(self) {
        self.state.set(TestState::Untested);
    }

    pub fn is_running(self) -> Signal<bool> {
        Signal::derive(move || self.state.with(|state| *state == TestState::Running))
    }

    pub fn has_passed(self) -> bool {
        self.state.with_untracked(|state| matches!(state, TestState::Passed(_)))
    }

    /// Whether it has failed, and nothing has changed since.
    pub fn has_failed(self) -> Signal<bool> {
        Signal::derive(move || self.state.with(|state| matches!(state, TestState::Failed(_))))
    }

    pub fn run(self, request: impl Future<Output = Result<ConnectivityResult, ApiError>> + 'static) {
        self.run_then(request, || ());
    }

    /// The same; `passed` where it has passed and still holds.
    pub fn run_then(
        self,
        request: impl Future<Output = Result<ConnectivityResult, ApiError>> + 'static,
        passed: impl FnOnce() + 'static,
    ) {
        self.state.set(TestState::Running);
        spawn_local(async move {
            let answer = request.await;
            if self.state.try_get_untracked() != Some(TestState::Running) {
                return;
            }
            match answer {
                Ok(result) => {
                    self.state.set(TestState::Passed(result));
                    passed();
                }
                Err(error) => self.state.set(TestState::Failed(error)),
            }
        });
    }
}

/// The button, and below it what it found.
#[component]
pub fn ConnectionTestBar(test: ConnectionTest, on_test: Callback<()>, testid: &'static str) -> impl IntoView {
    let is_running = test.is_running();
    view! {
        <div class="gw-stack">
            <div><Button label="Test connection" is_busy=is_running on_press=on_test attr:data-testid=testid/></div>
            <TestOutcome test=test/>
        </div>
    }
}

/// What the last test found, where it still holds.
#[component]
pub fn TestOutcome(test: ConnectionTest) -> impl IntoView {
    let result = move || match test.state.get() {
        TestState::Untested | TestState::Running => ().into_any(),
        TestState::Passed(result) => view! { <PassedTest result=result/> }.into_any(),
        TestState::Failed(error) => view! { <ErrorPanel error=error/> }.into_any(),
    };
    view! { <div aria-live="polite">{result}</div> }
}

#[component]
fn PassedTest(result: ConnectivityResult) -> impl IntoView {
    let details = [result.version, result.topology];
    let details = details
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>()
        .join(", ");
    view! {
        <div class="gw-test-passed" data-testid="test-passed">
            <Glyph icon=Icon::Check/>
            <span>{result.message}</span>
            <span class="gw-muted">{details}</span>
        </div>
    }
}
