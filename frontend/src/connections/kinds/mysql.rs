//! MySQL and MariaDB, with the parameters of their Java clients.

use super::ServerForm;

pub const MYSQL: ServerForm = ServerForm {
    schemes: &["mysql"],
    port: "3306",
    no_database: "Empty: all that the user can see.",
    no_password: "Empty, where the server asks for none.",
    ssl_mode: "sslMode",
    ssl_parameters: &[
        "sslMode",
        "useSSL",
        "useSsl",
        "requireSSL",
        "verifyServerCertificate",
        "trustServerCertificate",
    ],
    ssl_names: [
        &["PREFERRED"],
        &["REQUIRED", "trust"],
        &["VERIFY_CA"],
        &["VERIFY_IDENTITY", "verify-full"],
        &["DISABLED", "disable"],
    ],
    root_certificate: "serverSslCert",
};

pub const MARIADB: ServerForm = ServerForm {
    schemes: &["mariadb"],
    ssl_names: [
        &["preferred"],
        &["trust", "REQUIRED"],
        &["verify-ca"],
        &["verify-full", "VERIFY_IDENTITY"],
        &["disable", "DISABLED"],
    ],
    ..MYSQL
};
