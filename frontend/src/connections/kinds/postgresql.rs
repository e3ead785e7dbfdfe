//! PostgreSQL, with the parameters of its own clients.

use super::ServerForm;

pub const FORM: ServerForm = ServerForm {
    schemes: &["postgresql", "postgres"],
    port: "5432",
    no_database: "Empty: the one named like the user.",
    no_password: "Empty, where the server asks for none: trust, peer, a certificate.",
    ssl_mode: "sslmode",
    ssl_parameters: &["sslmode"],
    ssl_names: [
        &["prefer"],
        &["require"],
        &["verify-ca"],
        &["verify-full"],
        &["disable"],
    ],
    root_certificate: "sslrootcert",
};
