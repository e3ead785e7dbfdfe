//! Errors of drivers in words that somebody can use.

/// What a driver of MongoDB says, without its inner life: which servers it has tried and what it calls its own parts.
pub fn plain_reason(message: &str) -> String {
    let servers: Vec<&str> = message.split("Error: ").skip(1).collect();
    if message.contains("Topology:") && !servers.is_empty() {
        let mut reasons: Vec<String> = servers.iter().map(|text| innermost(text)).collect();
        reasons.sort();
        reasons.dedup();
        return reasons.join("; ");
    }
    if message.contains("ReplicaSetNoPrimary") {
        return "the replica set has no primary".into();
    }
    match message.split_once(" Topology:") {
        Some(_) => "no server answers".into(),
        None => innermost(message),
    }
}

/// What a driver of PostgreSQL says and what caused it, without its own steps and the numbers of the system:
/// `error connecting to server: Connection refused (os error 111)` is `connection refused`.
pub fn plain_cause(text: &str) -> String {
    let steps = ["error connecting to server: ", "error communicating with the server: "];
    let own = steps.iter().find_map(|step| text.strip_prefix(step)).unwrap_or(text);
    let own = own.split(" (os error").next().unwrap_or(own);
    innermost(
        own.strip_prefix("failed to lookup address information: ")
            .unwrap_or(own),
    )
}

/// `Kind: I/O error: Connection refused (os error 111), labels: {}` is `connection refused`.
fn innermost(text: &str) -> String {
    let text = text.split(", labels:").next().unwrap_or(text);
    let text = text.split(" }").next().unwrap_or(text);
    let mut text = text.trim();
    for layer in [
        "Kind: ",
        "An error occurred when trying to ",
        "I/O error: ",
        "Command failed: ",
    ] {
        text = text.strip_prefix(layer).unwrap_or(text);
    }
    let text = match text.find(" (os error") {
        Some(place) => &text[..place],
        None => text.trim_end_matches(['.', ' ']),
    };
    let mut chars = text.chars();
    match chars.next() {
        // A name in capitals stays as it is.
        Some(first) if !chars.as_str().starts_with(char::is_uppercase) => {
            first.to_lowercase().collect::<String>() + chars.as_str()
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_stands_alone() {
        let check = |text: &str, expected: &str| assert_eq!(plain_cause(text), expected);
        check(
            "error connecting to server: Connection refused (os error 111)",
            "connection refused",
        );
        check(
            "error connecting to server: failed to lookup address information: Name or service not known",
            "name or service not known",
        );
        check("connection closed", "connection closed");
        check("password missing", "password missing");
    }

    #[test]
    fn the_inner_life_of_a_driver_is_left_out() {
        let check = |message: &str, expected: &str| assert_eq!(plain_reason(message), expected);
        let one = "{ Address: h:27017, Type: Unknown, Error: Kind: I/O error: Connection refused (os error 111), labels: {} }";
        check(
            &format!(
                "Server selection timeout: No available servers. Topology: {{ Type: Unknown, Servers: [ {one} ] }}"
            ),
            "connection refused",
        );
        check(
            &format!("Topology: {{ Type: Unknown, Servers: [ {one}, {one} ] }}"),
            "connection refused",
        );
        check(
            "Server selection timeout: None. Topology: { Type: ReplicaSetNoPrimary, Set Name: r, Servers: [ ] }",
            "the replica set has no primary",
        );
        check(
            "Server selection timeout: No available servers. Topology: { Type: Unknown }",
            "no server answers",
        );
        check(
            "Kind: I/O error: Connection reset by peer (os error 104), labels: {\"RetryableWriteError\"}",
            "connection reset by peer",
        );
        check("BSON object is too large", "BSON object is too large");
    }
}
