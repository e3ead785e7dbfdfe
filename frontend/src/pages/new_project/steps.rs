//! The steps of a new project. Which one is shown stands in the URL.

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Step {
    #[default]
    Connect,
    Tables,
    Casing,
    Mapping,
    Name,
}

impl Step {
    pub const ALL: [Step; 5] = [Step::Connect, Step::Tables, Step::Casing, Step::Mapping, Step::Name];

    pub fn title(self) -> &'static str {
        match self {
            Step::Connect => "Source",
            Step::Tables => "Select tables",
            Step::Casing => "Global casing",
            Step::Mapping => "Initial mappings",
            Step::Name => "Name",
        }
    }

    /// In the URL.
    pub fn name(self) -> &'static str {
        match self {
            Step::Connect => "connect",
            Step::Tables => "tables",
            Step::Casing => "casing",
            Step::Mapping => "mapping",
            Step::Name => "name",
        }
    }

    /// The step of a name in the URL; the first one, as long as no schema has been read: the others show it.
    pub fn from_query(name: Option<&str>, has_schema: bool) -> Step {
        let named = Step::ALL.into_iter().find(|step| Some(step.name()) == name);
        named.filter(|_| has_schema).unwrap_or_default()
    }

    pub fn index(self) -> usize {
        self as usize
    }

    pub fn next(self) -> Option<Step> {
        Step::ALL.get(self.index() + 1).copied()
    }

    pub fn previous(self) -> Option<Step> {
        self.index().checked_sub(1).map(|i| Step::ALL[i])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_in_the_url() {
        for step in Step::ALL {
            assert_eq!(Step::from_query(Some(step.name()), true), step);
        }
        assert_eq!(Step::from_query(Some("tables"), false), Step::Connect);
        assert_eq!(Step::from_query(Some("x"), true), Step::Connect);
        assert_eq!(Step::from_query(None, true), Step::Connect);
    }

    #[test]
    fn the_order_of_the_steps() {
        assert_eq!(Step::Connect.previous(), None);
        assert_eq!(Step::Connect.next(), Some(Step::Tables));
        assert_eq!(Step::Name.next(), None);
    }
}
