//! What a saved connection says, as it is: shown in place of the fields for one that is typed.

use super::draft::SourceDraft;
use super::kinds::{SSL_MODES, SSL_OFF};
use super::problem::has_stored_password;
use super::url::fields_of;
use crate::components::button::{Button, ButtonTone};
use crate::components::icon::Icon;
use godwit_shared::connection::{SavedJdbcConnection, SavedMongodbConnection};
use leptos::prelude::*;

/// A list of what it says, and the way to another one that begins with that.
#[component]
pub fn ChosenConnection(
    lines: Vec<(&'static str, String)>,
    /// Its values become those of a new connection.
    on_change: Callback<()>,
) -> impl IntoView {
    let line =
        |(name, value): (&'static str, String)| view! { <div><dt>{name}</dt><dd class="gw-code">{value}</dd></div> };
    view! {
        <div class="gw-chosen" data-testid="chosen-connection">
            <dl class="gw-chosen__lines">{lines.into_iter().map(line).collect_view()}</dl>
            <div>
                <Button
                    label="Enter other values"
                    tone=ButtonTone::Quiet
                    icon=Icon::Rename
                    on_press=on_change
                    attr:data-testid="change-chosen"
                />
            </div>
        </div>
    }
}

/// What a saved source says.
pub fn source_lines(connection: &SavedJdbcConnection) -> Vec<(&'static str, String)> {
    let user = connection.user.clone().filter(|user| !user.is_empty());
    let mut lines = Vec::new();
    match fields_of(&connection.url).filter(|_| !SourceDraft::of(connection).is_manual_uri) {
        Some(fields) => {
            lines.push(("Host", format!("{}:{}", fields.host, fields.port)));
            lines.push(("Database", fields.database));
            lines.push(("SSL", ssl_label(fields.ssl_mode.as_deref())));
        }
        None => lines.push(("URI", connection.url.clone())),
    }
    // A file has nobody to sign on to.
    if !SourceDraft::of(connection).is_file() {
        lines.push(("Username", user.unwrap_or_default()));
        lines.push(("Password", password_line(has_stored_password(connection))));
    }
    if connection.has_ssl_root_cert {
        lines.push(("CA certificate", "Stored with the connection".into()));
    }
    lines.retain(|(_, value)| !value.is_empty());
    lines
}

fn ssl_label(mode: Option<&str>) -> String {
    match mode {
        Some(SSL_OFF) => "Off".into(),
        other => {
            let own = SSL_MODES.iter().find(|(value, _)| *value == other.unwrap_or_default());
            own.map_or_else(
                || other.unwrap_or_default().to_owned(),
                |(_, label)| (*label).to_owned(),
            )
        }
    }
}

fn password_line(is_stored: bool) -> String {
    match is_stored {
        true => "Stored with the connection".into(),
        false => "Not stored".into(),
    }
}

/// What a saved destination says.
pub fn destination_lines(connection: &SavedMongodbConnection) -> Vec<(&'static str, String)> {
    let stored = |is_stored: bool| {
        if is_stored {
            "Stored with the connection".to_owned()
        } else {
            String::new()
        }
    };
    let mut lines = vec![
        ("URI", connection.connection_string.clone()),
        ("Database", connection.database.clone().unwrap_or_default()),
        ("Username", connection.user.clone().unwrap_or_default()),
        ("Password", stored(connection.has_password)),
        ("CA certificate", stored(connection.has_tls_ca)),
        ("Certificate and key", stored(connection.has_tls_certificate_key)),
    ];
    lines.retain(|(_, value)| !value.is_empty());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use godwit_shared::ids::ConnectionId;

    #[test]
    fn a_saved_source_is_shown_as_it_is() {
        let check = |url: &str, has_password: bool, expected: &[(&str, &str)]| {
            let lines = source_lines(&SavedJdbcConnection {
                id: ConnectionId::new("c"),
                name: "Shop".into(),
                kind: "POSTGRESQL".into(),
                url: url.into(),
                user: Some("shop".into()),
                environment_tag: Default::default(),
                has_password,
                has_ssl_root_cert: false,
            });
            let shown: Vec<(&str, &str)> = lines.iter().map(|(name, value)| (*name, &**value)).collect();
            assert_eq!(shown, expected);
        };
        check(
            "jdbc:postgresql://db:5433/shop?sslmode=disable",
            true,
            &[
                ("Host", "db:5433"),
                ("Database", "shop"),
                ("SSL", "Off"),
                ("Username", "shop"),
                ("Password", "Stored with the connection"),
            ],
        );
        check(
            "jdbc:postgresql://db/shop?ApplicationName=x",
            false,
            &[
                ("URI", "jdbc:postgresql://db/shop?ApplicationName=x"),
                ("Username", "shop"),
                ("Password", "Not stored"),
            ],
        );
    }
}
